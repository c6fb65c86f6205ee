import { formatPerplexity } from '../../../src/experiment/format.ts';
import type { RunLine } from '../../../src/view/panelMessages.ts';
import { bestCheckpoint } from '../../../src/search/masks/state.ts';
import type { MaskState } from '../../../src/search/masks/state.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import type { AxisChoice } from '../common/axisChoice.ts';
import { ChartCard } from '../common/chartCard.ts';
import { across, baselineStyle, closeScaleOf, lastStep, outOfScale, spokenPoints } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import { against } from '../common/words.ts';
import type { FinalistEvent } from '../../../src/search/lifecycle/events.ts';

/** Perplexity of the masks that each checkpoint's probabilities make, on the fitness text. */
export class CheckpointsCard {
  readonly element: HTMLElement;
  private readonly card: ChartCard;
  private readonly axis: AxisChoice;
  private readonly changes = new Changes();

  constructor(axis: AxisChoice) {
    this.axis = axis;
    this.card = new ChartCard('Perplexity of the checkpoints', 'Perplexity by step', { axis: axis.element });
    this.element = this.card.element;
  }

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }

  render(data: MaskState, view: CheckpointsView, theme: Theme): void {
    const { dense, compared, overlay } = view;
    if (!this.changes.any(data.steps, data.checkpoints.length, compared.length, dense, overlay, theme, this.axis.value))
      return;
    const last = lastStep(data.steps, view.planned, 0.1);
    const lines = linesOf(data, view, last);
    const scale = this.axis.scaleOf(lines, closeScaleOf);
    const readout = readoutOf(data, view);
    const isEmpty = readout === '';
    const empty =
      data.checkpoints.length === 0
        ? 'The line begins at the first checkpoint.'
        : 'No checkpoint so far leaves a model whose perplexity is finite.';
    const checkpoints = data.checkpoints.map(({ step, perplexity }) => ({ x: step, y: perplexity }));
    this.card.show(theme, {
      ...{ lines, scale, along: 'step', first: 0, last, readout },
      note: isEmpty ? '' : outOfScale(lines, scale),
      empty: isEmpty ? empty : undefined,
      spoken: isEmpty ? empty : `Perplexity: ${readout}. ${spokenPoints(checkpoints, formatPerplexity)}`,
    });
  }
}

export interface CheckpointsView {
  readonly dense: number | undefined;
  readonly planned: number;
  /** Baselines that were evaluated at the end. */
  readonly compared: readonly FinalistEvent[];
  readonly overlay: readonly RunLine[];
}

function linesOf({ checkpoints }: MaskState, { dense, compared, overlay }: CheckpointsView, last: number): Line[] {
  const points = checkpoints.flatMap(({ step, perplexity }) =>
    perplexity === null ? [] : [{ x: step, y: perplexity }],
  );
  const baselines = compared.filter(({ result }) => result !== undefined);
  return [
    ...(dense === undefined ? [] : [{ label: 'dense', points: across(dense, 0, last), style: 'dense' } as const]),
    ...baselines.map(({ name, result }, i): Line => ({
      label: name,
      points: across(result!.perplexity, 0, last),
      style: baselineStyle(i),
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
  const best = bestCheckpoint({ checkpoints: finite }) ?? last;
  const words = `best ${against(best.perplexity!, 'dense', dense)}`;
  if (first === last) return words;
  const now = best === last ? [] : [`now ${formatPerplexity(last.perplexity!)}`];
  return [words, ...now, `at the beginning ${formatPerplexity(first.perplexity!)}`].join(' · ');
}
