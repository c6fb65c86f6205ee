import { formatPerplexity } from '../../../src/experiment/format.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import { perplexityOf } from '../../../src/search/lifecycle/outcome.ts';
import { bestConfiguration } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import type { AxisChoice } from '../common/axisChoice.ts';
import { ChartCard } from '../common/chartCard.ts';
import { across, outOfScale } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import type { RunLine } from '../../../src/view/panelMessages.ts';
import { against } from '../common/words.ts';
import { styleOf } from './references.ts';

/** Perplexity by generation: the best so far, the mean, and what uniform and OWL come to. */
export class FitnessCard {
  readonly element: HTMLElement;
  private readonly card: ChartCard;
  private readonly axis: AxisChoice;
  private readonly changes = new Changes();

  constructor(axis: AxisChoice) {
    this.axis = axis;
    this.card = new ChartCard('Best by generation', 'Best perplexity by generation', { axis: axis.element });
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
      ...{ lines, scale, along: 'generation', first: 0, last, readout },
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
  return [
    { label: 'mean', points: series(({ mean }) => mean), style: 'mean' },
    ...(opening ? [{ label: 'dense', points: across(opening.densePerplexity, 0, last), style: 'dense' } as const] : []),
    ...baselines.flatMap((baseline): Line[] => {
      const { name, perplexity } = baseline;
      return perplexity === undefined
        ? []
        : [{ label: name, points: across(perplexity, 0, last), style: styleOf(baseline, plan) }];
    }),
    ...overlay.map(({ label, points }): Line => ({
      label,
      points: points.map(({ generation, perplexity }) => ({ x: generation, y: perplexity })),
      style: 'overlay',
    })),
    { label: 'best so far', points: series(({ bestSoFar }) => bestSoFar?.perplexity), style: 'best' },
  ];
}

function readoutOf(rates: RateState): string {
  const best = bestConfiguration(rates);
  const perplexity = best && perplexityOf(best);
  if (perplexity === undefined) return '';
  return [
    `best ${against(perplexity, 'dense', rates.opening?.densePerplexity)}`,
    ...rates.baselines.flatMap(({ name, perplexity: of }) =>
      of === undefined ? [] : [`${name} ${formatPerplexity(of)}`],
    ),
  ].join(' · ');
}
