import type { LossPoint, MaskState } from '../../../src/search/masks/state.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import { ChartCard } from '../common/chartCard.ts';
import { lastStep, spokenPoints } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import { perplexityScale } from '../common/perplexityScale.ts';
import { plural } from '../common/words.ts';

/** Loss of the masks that are drawn, and the moving average that they are compared with, over the steps. */
export class LossCard {
  private readonly card = new ChartCard('Loss of the masks drawn', 'Loss by step');
  readonly element = this.card.element;
  private readonly changes = new Changes();

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }

  render(data: MaskState, planned: number, theme: Theme): void {
    if (!this.changes.any(data.steps, theme)) return;
    const points = data.losses;
    const last = points.at(-1);
    const readout = last ? readoutOf(last, data) : '';
    const lines = linesOf(points);
    const values = points.flatMap(({ loss }) => loss ?? []);
    const scale = perplexityScale(
      values,
      points.flatMap(({ baseline }) => baseline ?? []),
      0.995,
    );
    const baselines = spokenPoints(
      points.map(({ step, baseline }) => ({ x: step + 1, y: baseline })),
      format,
    );
    this.card.show(theme, {
      ...{ lines, scale, along: 'step', first: 0, readout },
      note: noteOf(data),
      empty: values.length > 0 ? undefined : emptyWords(last),
      spoken: last ? `${plural(data.steps, 'step')}: ${readout}. Baseline: ${baselines}` : 'No step yet.',
      last: lastStep(data.steps, planned, 0.1),
      values: { title: 'loss (nats per token)', format },
    });
  }
}

function linesOf(points: readonly LossPoint[]): Line[] {
  const series = (value: (point: LossPoint) => number | null): Line['points'] =>
    points.flatMap((point) => {
      const y = value(point);
      return y === null ? [] : [{ x: point.step + 1, y }];
    });
  return [
    // The first is drawn on top.
    { label: 'baseline', points: series(({ baseline }) => baseline), style: 'best' },
    { label: 'mean loss', points: series(({ loss }) => loss), style: 'raw' },
  ];
}

function readoutOf({ loss, baseline }: LossPoint, { leftOut }: MaskState): string {
  const now = loss === null ? 'no finite loss' : `loss ${format(loss)}`;
  return [
    baseline === null ? now : `${now}, baseline ${format(baseline)}`,
    ...(leftOut === 0 ? [] : [`${plural(leftOut, 'loss', 'losses')} left out (not finite)`]),
  ].join(' · ');
}

function emptyWords(last: LossPoint | undefined): string {
  return last
    ? 'No loss was finite so far: there is nothing to draw.'
    : 'The line begins once the first step is through.';
}

function noteOf({ stepsOfPoint, steps }: MaskState): string {
  return steps === 0 || stepsOfPoint === 1 ? '' : `each point is the mean of ${stepsOfPoint} steps`;
}

function format(loss: number): string {
  return loss.toFixed(3);
}
