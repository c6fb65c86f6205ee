import type { ChartConfiguration, ChartDataset, ChartOptions } from 'chart.js';
import type { Theme } from '../../shared/theme.ts';
import { Chart } from './charts.ts';

/** A chart that is fed again and again: what it shows changes without an animation, and a change of the theme makes it anew. */
export class LiveChart {
  private readonly canvas: HTMLCanvasElement;
  private theme: Theme | undefined;
  private current: Chart | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
  }

  /** Undefined until something was shown. */
  get chart(): Chart | undefined {
    return this.current;
  }

  /** @param configure everything about the chart that depends on nothing but the theme */
  show(
    theme: Theme,
    datasets: ChartDataset[],
    scales: NonNullable<ChartOptions['scales']>,
    configure: () => Omit<ChartConfiguration, 'data'>,
  ): void {
    if (this.current && this.theme === theme) {
      this.current.data.datasets = datasets;
      this.current.options.scales = scales;
      this.current.update('none');
      return;
    }
    this.current?.destroy();
    this.theme = theme;
    const configuration = configure();
    const options = { ...configuration.options, scales };
    this.current = new Chart(this.canvas, { ...configuration, data: { datasets }, options });
  }
}
