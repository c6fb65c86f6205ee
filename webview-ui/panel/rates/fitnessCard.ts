import { bestWords, fitnessName, fitnessValues } from '../common/fitnessWords.ts';
import { measuredText } from '../../../src/search/lifecycle/fitnessText.ts';
import { denseFitness, fitnessIn, objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { bestConfiguration } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import type { AxisChoice } from '../common/axisChoice.ts';
import { ChartCard } from '../common/chartCard.ts';
import { across, outOfScale } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import type { RunLine } from '../../../src/view/panelMessages.ts';
import { styleOf } from './references.ts';

/** Fitness by generation: the best so far, the mean, and what uniform and OWL come to. */
export class FitnessCard {
  readonly element: HTMLElement;
  private readonly card: ChartCard;
  private readonly axis: AxisChoice;
  private readonly changes = new Changes();

  constructor(axis: AxisChoice) {
    this.axis = axis;
    this.card = new ChartCard('Best by generation', 'Best fitness by generation', { axis: axis.element });
    this.element = this.card.element;
  }

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }

  render(rates: RateState, plan: RateSearchPlan, overlay: readonly RunLine[], theme: Theme): void {
    const planned = plan.search.generations;
    const { generations, improvements, baselines, ranking } = rates;
    if (
      !this.changes.any(
        generations.length,
        improvements.length,
        baselines.length,
        ranking,
        overlay,
        theme,
        this.axis.value,
      )
    )
      return;
    const shown = generations.length;
    const last = Math.max(2, Math.min(planned, Math.ceil(shown * 1.25) + 1));
    const lines = linesOf(rates, plan, overlay, last);
    const scale = this.axis.scaleOf(lines);
    const readout = readoutOf(rates);
    const empty = 'The line begins once the first configurations are evaluated.';
    this.card.show(theme, {
      ...{ lines, scale, along: 'generation', first: 0, last, readout, values: fitnessValues(rates.opening) },
      label: `Best ${fitnessName(rates.opening)} by generation`,
      note: shown === 0 ? '' : outOfScale(lines, scale),
      empty: shown === 0 ? empty : undefined,
      spoken: shown === 0 ? empty : `Generation ${shown - 1}: ${readout}.`,
    });
  }
}

function linesOf(
  { generations, opening, baselines }: RateState,
  plan: RateSearchPlan,
  overlay: readonly RunLine[],
  last: number,
): Line[] {
  const series = (value: (event: (typeof generations)[number]) => number | null | undefined): Line['points'] =>
    generations.flatMap((event) => {
      const y = value(event);
      return y === null || y === undefined ? [] : [{ x: event.generation, y }];
    });
  const dense = denseFitness(opening);
  return [
    { label: 'mean', points: series(({ mean }) => mean), style: 'mean' },
    ...(dense === undefined ? [] : [{ label: 'dense', points: across(dense, 0, last), style: 'dense' } as const]),
    ...baselines.flatMap((baseline): Line[] => {
      const { name } = baseline;
      const fitness = fitnessIn(baseline);
      return fitness === undefined
        ? []
        : [{ label: name, points: across(fitness, 0, last), style: styleOf(baseline, plan) }];
    }),
    ...overlay
      .filter((line) => line.objective === objectiveOf(opening))
      .map(({ label, points }): Line => ({
        label,
        points: points.map(({ generation, fitness }) => ({ x: generation, y: fitness })),
        style: 'overlay',
      })),
    { label: 'best so far', points: series(({ bestSoFar }) => bestSoFar && fitnessIn(bestSoFar)), style: 'best' },
  ];
}

function readoutOf(rates: RateState): string {
  const best = bestConfiguration(rates);
  const fitness = best && fitnessOf(best);
  if (fitness === undefined) return '';
  return [
    bestWords(fitness, rates.opening),
    ...rates.baselines.flatMap(({ name, ...measured }) => {
      const text = measuredText(measured);
      return text === undefined ? [] : [`${name} ${text}`];
    }),
  ].join(' · ');
}
