import type { ChartConfiguration, ChartDataset, ChartOptions } from 'chart.js';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { Chart } from './charts.ts';
import { Zoom } from './zoom.ts';
import type { ZoomMode } from './zoom.ts';

type Scales = NonNullable<ChartOptions['scales']>;

/**
 * A chart that is fed again and again: what it shows changes without an animation, and a change of the theme makes it anew. It can be zoomed
 * and moved; what somebody looks at stays while more arrives, until all is wanted again.
 */
export class LiveChart {
  private readonly canvas: HTMLCanvasElement;
  private readonly zoom: Zoom;
  private readonly reset = h('button', { type: 'button', class: 'resetZoom', hidden: true }, 'Show all');
  private theme: Theme | undefined;
  private current: Chart | undefined;
  /** Of all that there is. */
  private scales: Scales = {};

  /** @param mode what can be zoomed: where heights start at 0, places alone */
  constructor(canvas: HTMLCanvasElement, mode: ZoomMode = 'xy') {
    this.canvas = canvas;
    this.zoom = new Zoom(mode, () => {
      this.rescale();
    });
    this.zoom.listen(canvas, () => this.current);
    this.reset.addEventListener('click', () => {
      this.zoom.reset();
      // The button goes, and the keyboard stays where it was of use.
      canvas.focus();
    });
  }

  /** Undefined until something was shown. */
  get chart(): Chart | undefined {
    return this.current;
  }

  /** @param configure everything about the chart that depends on nothing but the theme */
  show(
    theme: Theme,
    datasets: ChartDataset[],
    scales: Scales,
    configure: () => Omit<ChartConfiguration, 'data'>,
  ): void {
    this.scales = scales;
    if (!this.reset.isConnected) this.settle();
    if (this.current && this.theme === theme) {
      this.current.data.datasets = datasets;
      this.rescale();
      return;
    }
    this.current?.destroy();
    this.theme = theme;
    const configuration = configure();
    const plugins = { ...configuration.options?.plugins, zoom: this.zoom.options(theme, scales) };
    const options = { ...configuration.options, plugins, scales: this.zoom.zoomed(scales) };
    this.current = new Chart(this.canvas, { ...configuration, data: { datasets }, options });
  }

  /** Beside the canvas there is the way back; whoever chooses other axes wants to see all of them. */
  private settle(): void {
    this.canvas.after(this.reset);
    this.canvas.closest('.card')?.addEventListener('change', () => {
      this.zoom.reset();
    });
  }

  private rescale(): void {
    const { current, theme, scales } = this;
    this.reset.hidden = !this.zoom.isZoomed;
    if (!current || !theme) return;
    current.options.scales = this.zoom.zoomed(scales);
    current.options.plugins!.zoom = this.zoom.options(theme, scales);
    current.update('none');
  }
}
