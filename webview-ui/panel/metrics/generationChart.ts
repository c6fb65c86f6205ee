import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import { formatPerplexity } from '../../../src/experiment/format.ts';
import type { Theme } from '../../shared/theme.ts';
import type { AxisChoice } from '../common/axisChoice.ts';
import { ChartCard } from '../common/chartCard.ts';
import { across, outOfScale } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import { bestCandidate } from '../common/panelData.ts';
import type { PanelData } from '../common/panelData.ts';
import { perplexityOf } from '../../../src/search/lifecycle/outcome.ts';
import { against, plural } from '../common/words.ts';

/** Best, mean and worst by generation, with what they are to be measured by. */
export class GenerationChart {
  readonly element: HTMLElement;
  private readonly card: ChartCard;
  private readonly axis: AxisChoice;

  /** @param actions what stands beside the title */
  constructor(axis: AxisChoice, actions: HTMLElement) {
    this.axis = axis;
    this.card = new ChartCard('Best by generation', 'Best perplexity by generation', { axis: axis.element, actions });
    this.element = this.card.element;
  }

  render(data: PanelData, theme: Theme): void {
    const lines = linesOf(data);
    const scale = this.axis.scaleOf(lines);
    const shown = data.search.generations.length;
    const generations = Math.max(data.run?.plan.search.generations ?? 1, shown);
    this.card.show(theme, {
      ...{ lines, scale, along: 'generation', first: 1 },
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
  const all = run?.plan.search.population ?? 0;
  const begun = candidates.length > 0 ? `: ${candidates.length} of ${plural(all, 'candidate')} so far` : '';
  const goals = [
    ...baselines.flatMap(({ name, perplexity }) =>
      perplexity === undefined ? [] : [`${name} ${formatPerplexity(perplexity)}`],
    ),
    ...(opening ? [`dense ${formatPerplexity(opening.densePerplexity)}`] : []),
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
  const runLine = ({ points }: { points: readonly { generation: number; perplexity: number }[] }): Line['points'] =>
    points.map(({ generation, perplexity }) => ({ x: generation + 1, y: perplexity }));
  return [
    { label: 'worst', points: series(({ worst }) => worst), style: 'worst' },
    { label: 'mean', points: series(({ mean }) => mean), style: 'mean' },
    { label: 'median', points: mediansOf(data.search.candidates, generations.length), style: 'median' },
    ...(opening
      ? [{ label: 'dense', points: across(opening.densePerplexity, 1, planned), style: 'dense' } as const]
      : []),
    ...baselines.flatMap(({ name, perplexity }): Line[] =>
      perplexity === undefined ? [] : [{ label: name, points: across(perplexity, 1, planned), style: 'baseline' }],
    ),
    ...overlay.map((line): Line => ({ label: line.label, points: runLine(line), style: 'overlay' })),
    ...(random.line && random.line.points.length > 0
      ? [{ label: 'random search', points: runLine(random.line), style: 'random' } as const]
      : []),
    { label: 'best so far', points: series(({ bestSoFar }) => bestSoFar?.perplexity), style: 'best' },
  ];
}

/** A few terrible candidates decide a mean; the middle one says how the generation as a whole is doing. */
function mediansOf(candidates: readonly MetricCandidate[], generations: number): Line['points'] {
  const values = Array.from({ length: generations }, (): number[] => []);
  for (const candidate of candidates) {
    const perplexity = perplexityOf(candidate);
    if (perplexity !== undefined) values[candidate.generation]?.push(perplexity);
  }
  return values.flatMap((all, generation) => {
    const middle = all.sort((a, b) => a - b)[Math.floor((all.length - 1) / 2)];
    return middle === undefined ? [] : [{ x: generation + 1, y: middle }];
  });
}

function readoutOf(data: PanelData): string {
  const { opening, baselines } = data.search;
  const best = bestCandidate(data);
  const perplexity = best && perplexityOf(best);
  if (perplexity === undefined) return '';
  const wanda = baselines.find(({ name }) => /wanda/i.test(name)) ?? baselines[0];
  const random = data.random.line?.points.at(-1)?.perplexity;
  return [
    `best ${against(perplexity, 'dense', opening?.densePerplexity)}`,
    ...(wanda?.perplexity === undefined ? [] : [`${wanda.name} ${formatPerplexity(wanda.perplexity)}`]),
    ...(random === undefined ? [] : [`random search ${formatPerplexity(random)}`]),
  ].join(' · ');
}

function spoken(data: PanelData): string {
  const { generations } = data.search;
  if (generations.length === 0) return 'No generation is through yet.';
  const method = data.run ? data.run.methodTitle : 'The search';
  return `${method} after ${generations.length} generations: ${readoutOf(data)}.`;
}
