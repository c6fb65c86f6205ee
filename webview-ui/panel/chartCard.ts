import { fill, h } from '../shared/dom.ts';
import type { Theme } from '../shared/theme.ts';
import { LineChart } from './lineChart.ts';
import type { LineChartView } from './lineChart.ts';

export interface ChartCardView extends LineChartView {
  /** Beside the title: the newest values. */
  readonly readout: string;
  /** Below the chart. */
  readonly note: string;
  /** What the chart says to who does not see it. */
  readonly spoken: string;
  readonly isEmpty: boolean;
}

/** A line chart with its title, what it has come to, and a note; nothing is drawn while it is empty. */
export class ChartCard {
  readonly element: HTMLElement;
  private readonly chart = new LineChart();
  private readonly room = h('div', { class: 'canvas' }, this.chart.canvas);
  private readonly readout = h('p', { class: 'readout' });
  private readonly note = h('p', { class: 'muted' });

  /** @param label what the card is called where it is not seen */
  constructor(title: string, label: string) {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': label },
      h('div', { class: 'title' }, h('h2', {}, title), this.readout),
      this.room,
      this.note,
    );
  }

  get picture(): HTMLCanvasElement {
    return this.chart.canvas;
  }

  show(theme: Theme, view: ChartCardView): void {
    fill(this.readout, view.readout);
    this.room.hidden = view.isEmpty;
    fill(this.note, view.note);
    this.chart.canvas.setAttribute('aria-label', view.spoken);
    this.chart.show(theme, view);
  }
}
