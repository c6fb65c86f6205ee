import type { ChartDataset } from 'chart.js';
import { formatShare } from '../../../src/experiment/format.ts';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { figureButton } from '../../shared/figureButton.ts';
import { histogramFigure } from './blockFigures.ts';
import type { HistogramView } from './blockViews.ts';
import { baseOptions, countAxis, shareAxis } from './charts.ts';
import { LiveChart } from './liveChart.ts';

/** How keep-probabilities are distributed: what is decided stands at the ends. */
export class HistogramChart {
  readonly canvas = h('canvas', { role: 'img' });
  private readonly live = new LiveChart(this.canvas, 'x');
  private shown: HistogramView | undefined;

  /** @param title of what is saved */
  saveButton(title: string): HTMLElement {
    return figureButton(title, () => this.shown && histogramFigure(title, this.shown));
  }

  show(theme: Theme, view: HistogramView): void {
    this.shown = view;
    const { series } = view;
    const bins = series[0]?.shares.length ?? 1;
    const looks = [
      { colour: theme.blue, dash: [], fill: true },
      { colour: theme.yellow, dash: [6, 3], fill: false },
      { colour: theme.purple, dash: [2, 2], fill: false },
    ];
    const top = Math.max(0.05, ...series.flatMap(({ shares }) => shares));
    const datasets = series.map(({ label, shares }, i) => {
      const { colour, dash, fill: isFilled } = looks[i % looks.length]!;
      const data = shares.map((y, bin) => ({ x: (bin + 0.5) / bins, y }));
      const shared = { label, data, borderColor: colour, backgroundColor: colour };
      return isFilled
        ? { ...shared, type: 'bar', barThickness: 'flex', categoryPercentage: 1, barPercentage: 0.9, order: 2 }
        : { ...shared, type: 'line', stepped: 'middle', borderDash: dash, borderWidth: 2, pointRadius: 0, order: 1 };
    }) as unknown as ChartDataset[];
    const across = countAxis(theme, 'keep-probability', 0, 1);
    const plain = (value: number | string): string => String(Number(Number(value).toFixed(2)));
    const scales = {
      x: { ...across, ticks: { ...across.ticks, precision: 1, stepSize: 0.2, callback: plain } },
      y: shareAxis(theme, 'share of components', top),
    };
    const options = baseOptions(theme);
    this.live.show(theme, datasets, scales, () => ({
      type: 'bar',
      options: {
        ...options,
        interaction: { mode: 'index', intersect: false },
        plugins: {
          ...options.plugins,
          tooltip: {
            ...options.plugins?.tooltip,
            callbacks: {
              title: (items) => {
                const at = items[0]?.dataIndex ?? 0;
                return `${(at / bins).toFixed(2)} to ${((at + 1) / bins).toFixed(2)}`;
              },
              label: ({ dataset, parsed }) => `${dataset.label ?? ''}: ${formatShare(parsed.y ?? 0)}`,
            },
          },
        },
      },
    }));
    this.canvas.setAttribute('aria-label', spoken(series));
  }
}

function spoken(series: HistogramView['series']): string {
  const each = series.map(({ label, shares }) => {
    const [first = 0, last = 0] = [shares[0], shares.at(-1)];
    return `${label}: ${formatShare(first)} near 0, ${formatShare(last)} near 1, ${formatShare(1 - first - last)} between`;
  });
  return `Keep-probabilities. ${each.join('. ')}.`;
}
