import { bestWords, fitnessName, fitnessValues } from '../common/fitnessWords.ts';
import { measuredText, fitnessText } from '../../../src/search/lifecycle/fitnessText.ts';
import { denseFitness, fitnessIn, objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import { formatPerplexity } from '../../../src/experiment/format.ts';
import type { Theme } from '../../shared/theme.ts';
import type { AxisChoice } from '../common/axisChoice.ts';
import { ChartCard } from '../common/chartCard.ts';
import type { RunLine } from '../../../src/view/panelMessages.ts';
import { across, outOfScale } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import { bestCandidate } from '../common/panelData.ts';
import type { PanelData } from '../common/panelData.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { plural } from '../common/words.ts';

/** Best, mean and worst by generation, with what they are to be measured by. */
export class GenerationChart {
  readonly element: HTMLElement;
  private readonly card: ChartCard;
  private readonly axis: AxisChoice;

  /** @param actions what stands beside the title */
  constructor(axis: AxisChoice, actions: HTMLElement) {
    this.axis = axis;
    this.card = new ChartCard('Best by generation', 'Best fitness by generation', { axis: axis.element, actions });
    this.element = this.card.element;
  }

  render(data: PanelData, theme: Theme): void {
    const lines = linesOf(data);
    const scale = this.axis.scaleOf(lines);
    const shown = data.search.generations.length;
    const generations = Math.max(data.run?.plan.search.generations ?? 1, shown);
    this.card.show(theme, {
      ...{ lines, scale, along: 'generation', first: 1, values: fitnessValues(data.search.opening) },
      label: `Best ${fitnessName(data.search.opening)} by generation`,
      last: Math.max(2, Math.min(generations, Math.ceil(shown * 1.25) + 2)),
      readout: readoutOf(data),
      note: shown === 0 ? '' : outOfScale(lines, scale),
      spoken: spoken(data),
      empty: shown === 0 ? emptyWords(data) : undefined,
    });
  }

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }
}

/** Until there is a line: when there will be, and what it will be measured by. */
function emptyWords({ search, run }: PanelData): string {
  const { candidates, opening, baselines } = search;
  const dense = denseFitness(opening);
  const all = run?.plan.search.population ?? 0;
  const begun = candidates.length > 0 ? `: ${candidates.length} of ${plural(all, 'candidate')} so far` : '';
  const goals = [
    ...baselines.flatMap(({ name, ...measured }) => {
      const text = measuredText(measured);
      return text === undefined ? [] : [`${name} ${text}`];
    }),
    ...(dense === undefined ? [] : [`dense ${formatPerplexity(dense)}`]),
  ];
  const measure = goals.length > 0 ? ` It is measured by ${goals.join(', ')}.` : '';
  return `The line begins once the first generation is through${begun}.${measure}`;
}

function linesOf(data: PanelData): Line[] {
  const { random, overlay, run } = data;
  const { generations, opening, baselines } = data.search;
  const series = (value: (event: (typeof generations)[number]) => number | null | undefined): Line['points'] =>
    generations.flatMap((event) => {
      const y = value(event);
      return y === null || y === undefined ? [] : [{ x: event.generation + 1, y }];
    });
  const planned = Math.max(2, run?.plan.search.generations ?? 2, generations.length);
  const runLine = ({ points }: RunLine): Line['points'] =>
    points.map(({ generation, fitness }) => ({ x: generation + 1, y: fitness }));
  const objective = objectiveOf(opening);
  const dense = denseFitness(opening);
  return [
    { label: 'worst', points: series(({ worst }) => worst), style: 'worst' },
    { label: 'mean', points: series(({ mean }) => mean), style: 'mean' },
    { label: 'median', points: mediansOf(data.search.candidates, generations.length), style: 'median' },
    ...(dense === undefined ? [] : [{ label: 'dense', points: across(dense, 1, planned), style: 'dense' } as const]),
    ...baselines.flatMap(({ name, ...measured }): Line[] => {
      const fitness = fitnessIn(measured);
      return fitness === undefined ? [] : [{ label: name, points: across(fitness, 1, planned), style: 'baseline' }];
    }),
    ...overlay
      .filter((line) => line.objective === objective)
      .map((line): Line => ({ label: line.label, points: runLine(line), style: 'overlay' })),
    ...(random.line && random.line.points.length > 0
      ? [{ label: 'random search', points: runLine(random.line), style: 'random' } as const]
      : []),
    { label: 'best so far', points: series(({ bestSoFar }) => bestSoFar && fitnessIn(bestSoFar)), style: 'best' },
  ];
}

/** A few terrible candidates decide a mean; the middle one says how the generation as a whole is doing. */
function mediansOf(candidates: readonly MetricCandidate[], generations: number): Line['points'] {
  const values = Array.from({ length: generations }, (): number[] => []);
  for (const candidate of candidates) {
    const fitness = fitnessOf(candidate);
    if (fitness !== undefined) values[candidate.generation]?.push(fitness);
  }
  return values.flatMap((all, generation) => {
    const middle = all.sort((a, b) => a - b)[Math.floor((all.length - 1) / 2)];
    return middle === undefined ? [] : [{ x: generation + 1, y: middle }];
  });
}

function readoutOf(data: PanelData): string {
  const { opening, baselines } = data.search;
  const best = bestCandidate(data);
  const fitness = best && fitnessOf(best);
  if (fitness === undefined) return '';
  const wanda = baselines.find(({ name }) => /wanda/i.test(name)) ?? baselines[0];
  const compared = wanda && measuredText(wanda);
  const random = data.random.line?.points.at(-1)?.fitness;
  return [
    bestWords(fitness, opening),
    ...(compared === undefined ? [] : [`${wanda!.name} ${compared}`]),
    ...(random === undefined ? [] : [`random search ${fitnessText(random, objectiveOf(opening))}`]),
  ].join(' · ');
}

function spoken(data: PanelData): string {
  const { generations } = data.search;
  if (generations.length === 0) return 'No generation is through yet.';
  const method = data.run ? data.run.methodTitle : 'The search';
  return `${method} after ${generations.length} generations: ${readoutOf(data)}.`;
}
