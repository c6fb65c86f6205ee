import type { LossPoint, MaskState } from '../../../src/search/maskState.ts';
import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { LineChart } from '../lineChart.ts';
import { lastStep } from '../lines.ts';
import type { Line } from '../lines.ts';
import { perplexityScale } from '../perplexityScale.ts';
import { plural } from '../words.ts';

/** Loss of the masks that are drawn, and the moving average that they are compared with, over the steps. */
export class LossCard {
  readonly element: HTMLElement;
  private readonly chart = new LineChart();
  private readonly room = h('div', { class: 'canvas' }, this.chart.canvas);
  private readonly readout = h('p', { class: 'readout' });
  private readonly note = h('p', { class: 'muted' });
  private drawn = -1;
  private theme: Theme | undefined;

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Loss by step' },
      h('div', { class: 'title' }, h('h2', {}, 'Loss of the masks drawn'), this.readout),
      this.room,
      this.note,
    );
  }

  get picture(): HTMLCanvasElement {
    return this.chart.canvas;
  }

  render(data: MaskState, planned: number, theme: Theme): void {
    if (data.steps === this.drawn && theme === this.theme) return;
    this.drawn = data.steps;
    this.theme = theme;
    const points = data.losses;
    const last = points.at(-1);
    const readout = last ? readoutOf(last, data) : '';
    fill(this.readout, readout);
    this.room.hidden = data.steps === 0;
    fill(this.note, noteOf(data));
    this.chart.canvas.setAttribute('aria-label', last ? `${plural(data.steps, 'step')}: ${readout}.` : 'No step yet.');
    const lines = linesOf(points);
    const values = points.flatMap(({ loss }) => loss ?? []);
    const scale = perplexityScale(
      values,
      points.flatMap(({ baseline }) => baseline ?? []),
      0.995,
    );
    this.chart.show(theme, {
      ...{ lines, scale, along: 'step', first: 0 },
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

function noteOf({ stepsOfPoint, steps }: MaskState): string {
  if (steps === 0) return 'Drawn once the first step is through.';
  return stepsOfPoint === 1 ? '' : `each point is the mean of ${stepsOfPoint} steps`;
}

function format(loss: number): string {
  return loss.toFixed(3);
}
