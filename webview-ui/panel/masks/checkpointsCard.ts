import { formatPerplexity } from '../../../src/experiment/format.ts';
import type { StructureFinalistEvent } from '../../../src/experiment/structureEvents.ts';
import type { RunLine } from '../../../src/extension/search/panelMessages.ts';
import type { MaskState } from '../../../src/search/maskState.ts';
import type { Theme } from '../../shared/theme.ts';
import { ChartCard } from '../chartCard.ts';
import { across, closeScaleOf, lastStep, outOfScale } from '../lines.ts';
import type { Line } from '../lines.ts';
import { against } from '../words.ts';

/** Perplexity of the masks that each checkpoint's probabilities make, on the fitness text. */
export class CheckpointsCard {
  private readonly card = new ChartCard('Perplexity of the checkpoints', 'Perplexity by step');
  readonly element = this.card.element;

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }

  render(data: MaskState, view: CheckpointsView, theme: Theme): void {
    const last = lastStep(data.steps, view.planned, 0.1);
    const lines = linesOf(data, view, last);
    const scale = closeScaleOf(lines);
    const readout = readoutOf(data, view);
    const isEmpty = data.checkpoints.length === 0;
    const empty = 'Drawn at the first checkpoint.';
    this.card.show(theme, {
      ...{ lines, scale, along: 'step', first: 0, last, readout, isEmpty },
      note: isEmpty ? empty : outOfScale(lines, scale),
      spoken: isEmpty ? empty : `Perplexity: ${readout}.`,
    });
  }
}

export interface CheckpointsView {
  readonly dense: number | undefined;
  readonly planned: number;
  /** Baselines that were evaluated at the end. */
  readonly compared: readonly StructureFinalistEvent[];
  readonly overlay: readonly RunLine[];
}

function linesOf({ checkpoints }: MaskState, { dense, compared, overlay }: CheckpointsView, last: number): Line[] {
  const points = checkpoints.flatMap(({ step, perplexity }) =>
    perplexity === null ? [] : [{ x: step, y: perplexity }],
  );
  const baselines = compared.filter(({ result }) => result !== undefined);
  return [
    ...(dense === undefined ? [] : [{ label: 'dense', points: across(dense, 0, last), style: 'dense' } as const]),
    ...baselines.slice(0, 2).map(({ name, result }, i): Line => ({
      label: name,
      points: across(result!.perplexity, 0, last),
      style: i === 0 ? 'baseline' : 'second',
    })),
    ...overlay.map(({ label, points: of }): Line => ({
      label,
      points: of.map(({ generation, perplexity }) => ({ x: generation, y: perplexity })),
      style: 'overlay',
    })),
    // Each is another mask: none is the best so far.
    { label: 'checkpoint', points, style: 'median' },
  ];
}

function readoutOf({ checkpoints }: MaskState, { dense }: CheckpointsView): string {
  const finite = checkpoints.filter(({ perplexity }) => perplexity !== null);
  const [first, last] = [finite[0], finite.at(-1)];
  if (!first || !last) return '';
  const now = `now ${against(last.perplexity!, 'dense', dense)}`;
  return first === last ? now : `${now} · at the beginning ${formatPerplexity(first.perplexity!)}`;
}
