import { formatPerplexity } from '../../../src/experiment/format.ts';
import { bestValidation } from '../../../src/search/recovery/state.ts';
import type { RecoveryState, Validation } from '../../../src/search/recovery/state.ts';
import type { RunLine } from '../../../src/view/panelMessages.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import type { AxisChoice } from '../common/axisChoice.ts';
import { ChartCard } from '../common/chartCard.ts';
import { across, closeScaleOf, lastStep, outOfScale, spokenPoints } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import { against } from '../common/words.ts';

export interface HeldOutView {
  readonly planned: number;
  readonly overlay: readonly RunLine[];
}

/** Perplexity on the held-out text over the steps: the best is what is kept. */
export class HeldOutCard {
  readonly element: HTMLElement;
  private readonly card: ChartCard;
  private readonly axis: AxisChoice;
  private readonly changes = new Changes();

  constructor(axis: AxisChoice) {
    this.axis = axis;
    this.card = new ChartCard('Perplexity on the held-out text', 'Held-out perplexity by step', { axis: axis.element });
    this.element = this.card.element;
  }

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }

  render(state: RecoveryState, { planned, overlay }: HeldOutView, theme: Theme): void {
    const { steps, validations, opening } = state;
    if (!this.changes.any(steps, validations.length, opening, overlay, theme, this.axis.value)) return;
    const last = lastStep(steps, planned, 0.1);
    const lines = linesOf(state, overlay, last);
    const scale = this.axis.scaleOf(lines, closeScaleOf);
    const readout = readoutOf(state);
    const empty = emptyWords(state);
    const points = validations.map(({ step, perplexity }) => ({ x: step, y: perplexity }));
    this.card.show(theme, {
      ...{ lines, scale, along: 'step', first: 0, last, readout },
      note: empty === undefined ? outOfScale(lines, scale) : '',
      empty,
      spoken: empty !== undefined ? `${readout} ${empty}` : `${readout}. ${spokenPoints(points, formatPerplexity)}`,
    });
  }
}

function linesOf(state: RecoveryState, overlay: readonly RunLine[], last: number): Line[] {
  const { opening, validations } = state;
  const points = validations.flatMap(pointOf);
  const before = validations[0]?.perplexity;
  const best = bestValidation(state);
  return [
    ...(opening ? [{ label: 'dense', points: across(opening.densePerplexity, 0, last), style: 'dense' } as const] : []),
    ...(before == null ? [] : [{ label: 'before', points: across(before, 0, last), style: 'baseline' } as const]),
    ...overlay.map(({ label, points: of }): Line => ({
      label,
      points: of.map(({ generation, fitness }) => ({ x: generation, y: fitness })),
      style: 'overlay',
    })),
    ...(best && best.step > 0 ? [{ label: 'best', points: pointOf(best), style: 'mark' } as const] : []),
    { label: 'held out', points, style: 'median' },
  ];
}

function pointOf({ step, perplexity }: Validation): Line['points'] {
  return perplexity === null ? [] : [{ x: step, y: perplexity }];
}

function emptyWords({ validations }: RecoveryState): string | undefined {
  if (validations.length === 0) return 'The line begins once the pruned model is there.';
  if (validations.length === 1) return 'The line begins at the first look at the held-out text.';
  const isFinite = validations.some(({ perplexity }) => perplexity !== null);
  return isFinite ? undefined : 'The loss on the held-out text was not finite so far.';
}

function readoutOf(state: RecoveryState): string {
  const { validations, opening } = state;
  const finite = validations.filter(({ perplexity }) => perplexity !== null);
  const last = finite.at(-1);
  const best = bestValidation(state);
  if (!last || best?.perplexity == null) return '';
  const [before] = validations;
  const nothingBetter = state.finished ? 'nothing better than before' : 'nothing better than before so far';
  const nothingYet = validations.length === 1 ? 'before the first step' : nothingBetter;
  const kept = best.step === 0 ? nothingYet : `best after ${best.step} steps`;
  return [
    `${kept}: ${against(best.perplexity, 'dense', opening?.densePerplexity)}`,
    ...(last === best ? [] : [`now ${formatPerplexity(last.perplexity!)}`]),
    ...(before?.perplexity == null || best.step === 0 ? [] : [`before ${formatPerplexity(before.perplexity)}`]),
  ].join(' · ');
}
