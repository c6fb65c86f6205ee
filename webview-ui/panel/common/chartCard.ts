import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { LineChart } from './lineChart.ts';
import type { LineChartView } from './lineChart.ts';
import { figureButton } from '../../shared/figureButton.ts';
import { lineFigure } from './lineFigure.ts';

export interface ChartCardView extends LineChartView {
  /** Beside the title: the newest values. */
  readonly readout: string;
  /** Below the chart. */
  readonly note: string;
  /** What the card is called, and where it is not seen, as far as that depends on what is shown. */
  readonly title?: string;
  readonly label?: string;
  /** What the chart says to who does not see it. */
  readonly spoken: string;
  /** What stands in the chart's place while there is nothing to draw. */
  readonly empty: string | undefined;
}

/** A line chart with its title, what it has come to, and a note; while it would be empty, a word on when it will not be. */
export class ChartCard {
  readonly element: HTMLElement;
  private readonly chart = new LineChart();
  private readonly room = h('div', { class: 'canvas' }, this.chart.canvas);
  private readonly title = h('h2');
  private readonly readout = h('p', { class: 'readout' });
  private readonly note = h('p', { class: 'muted' });
  private readonly empty = h('p', { class: 'emptyChart' });
  private readonly axis: HTMLElement | undefined;
  private readonly save: HTMLElement;
  private shown: ChartCardView | undefined;

  /**
   * @param label what the card is called where it is not seen
   * @param tools what stands beside the title: `axis` as long as there is a chart
   */
  constructor(title: string, label: string, tools: { axis?: HTMLElement; actions?: HTMLElement } = {}) {
    this.axis = tools.axis;
    fill(this.title, title);
    this.save = figureButton(label, () => this.shown && lineFigure(this.title.textContent, this.shown));
    this.element = h(
      'section',
      { class: 'card', 'aria-label': label },
      h('div', { class: 'title' }, this.title, this.readout, tools.axis, tools.actions, this.save),
      this.room,
      this.empty,
      this.note,
    );
  }

  get picture(): HTMLCanvasElement {
    return this.chart.canvas;
  }

  show(theme: Theme, view: ChartCardView): void {
    const { readout, note, title, label, spoken, empty } = view;
    if (title !== undefined) fill(this.title, title);
    if (label !== undefined) this.element.setAttribute('aria-label', label);
    fill(this.readout, readout);
    this.shown = empty === undefined ? view : undefined;
    this.room.hidden = this.save.hidden = empty !== undefined;
    this.empty.hidden = !this.room.hidden;
    if (this.axis) this.axis.hidden = this.room.hidden;
    fill(this.empty, empty);
    fill(this.note, note);
    this.note.hidden = note === '';
    this.chart.canvas.setAttribute('aria-label', spoken);
    this.chart.show(theme, view);
  }
}
