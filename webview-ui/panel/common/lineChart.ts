import type { ChartDataset } from 'chart.js';
import { formatPerplexity } from '../../../src/experiment/format.ts';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { baseOptions, countAxis, perplexityAxis } from './charts.ts';
import { Crosshair } from './crosshair.ts';
import { LiveChart } from './liveChart.ts';
import { lineLabels } from './lineLabels.ts';
import type { Line, LineStyle } from './lines.ts';
import type { PerplexityScale } from './perplexityScale.ts';
import { between } from './colourScale.ts';

export interface LineChartView {
  readonly lines: readonly Line[];
  readonly scale: PerplexityScale;
  /** What is counted from left to right: `generation`. */
  readonly along: string;
  readonly first: number;
  readonly last: number;
  /** What the values are; perplexities by themselves. */
  readonly values?: { readonly title: string; readonly format: (value: number) => string };
}

/** Lines that are the same everywhere have nothing to say at a point. */
const CONSTANT: readonly LineStyle[] = ['dense', 'baseline', 'second', 'third'];

/** Named lines over generations or steps, each told from the others by colour, dash and mark. */
export class LineChart {
  readonly canvas = h('canvas', { role: 'img' });
  private readonly live = new LiveChart(this.canvas);
  private readonly crosshair = new Crosshair(this.canvas, () => this.live.chart);
  private along = '';
  private format: (value: number) => string = formatPerplexity;

  show(theme: Theme, { lines, scale, along, first, last, values }: LineChartView): void {
    this.along = this.crosshair.along = along;
    this.format = values?.format ?? formatPerplexity;
    const datasets = lines.map((line) => datasetOf(line, theme, last, scale));
    const scales = {
      x: { ...countAxis(theme, along, first, last), display: scale.max > 0 },
      y: perplexityAxis(theme, scale, values?.title),
    };
    const options = baseOptions(theme);
    this.live.show(theme, datasets, scales, () => ({
      type: 'line',
      options: {
        ...options,
        interaction: { mode: 'x', intersect: false, axis: 'x' },
        plugins: {
          ...options.plugins,
          tooltip: {
            ...options.plugins?.tooltip,
            filter: ({ dataset }) => !CONSTANT.includes((dataset as { kind?: LineStyle }).kind ?? 'best'),
            callbacks: {
              title: (items) => (items[0] ? `${this.along} ${items[0].parsed.x}` : ''),
              label: ({ dataset, parsed }) =>
                `${(dataset as { long?: string }).long ?? ''}: ${this.format(parsed.y ?? Number.NaN)}`,
            },
          },
        },
      },
      plugins: [lineLabels(theme.foreground, theme.font, theme.fontSize - 2), this.crosshair.plugin(theme.muted)],
    }));
  }
}

function datasetOf(
  { label, points, style }: Line,
  theme: Theme,
  lastX: number,
  { min, max }: PerplexityScale,
): ChartDataset<'line'> {
  const styles: Record<LineStyle, { colour: string; width: number; dash: number[] }> = {
    best: { colour: theme.blue, width: 2.5, dash: [] },
    median: { colour: theme.green, width: 1.5, dash: [] },
    mean: { colour: theme.green, width: 1, dash: [4, 3] },
    worst: { colour: theme.muted, width: 1, dash: [1, 3] },
    random: { colour: theme.purple, width: 2, dash: [6, 4] },
    dense: { colour: theme.foreground, width: 1, dash: [] },
    baseline: { colour: theme.yellow, width: 1, dash: [8, 3, 2, 3] },
    second: { colour: theme.purple, width: 1, dash: [6, 4] },
    third: { colour: theme.orange, width: 1, dash: [2, 2] },
    overlay: { colour: theme.red, width: 2, dash: [3, 3] },
    smooth: { colour: theme.blue, width: 2, dash: [] },
    // One point of another line.
    mark: { colour: theme.blue, width: 2, dash: [] },
    // Behind what it is smoothed to.
    raw: { colour: between(theme.background, theme.muted, 0.6), width: 1, dash: [] },
  };
  const { colour, width, dash } = styles[style];
  const y = points.at(-1)?.y ?? min;
  const isMarked = style === 'best' || style === 'median' || style === 'random';
  return {
    type: 'line',
    // Of a line that has left the chart, the note below says where it is.
    label: y > max || y < min ? '' : label,
    long: label,
    kind: style,
    data: points.filter(({ x }) => x <= lastX || points.length === 2).map((point) => ({ ...point })),
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: width,
    borderDash: dash,
    pointStyle: style === 'median' ? 'triangle' : style === 'random' || style === 'mark' ? 'rectRot' : 'circle',
    // A line of one point has no length.
    pointRadius: style === 'mark' ? 6 : points.length === 1 || (isMarked && points.length <= 40) ? 2.5 : 0,
    pointHitRadius: 6,
    // The first and the last mark are whole ones.
    ...((isMarked || points.length === 1) && { clip: { left: 6, right: 6, top: 0, bottom: 0 } }),
    stepped: style === 'best' || style === 'random' || style === 'overlay' ? 'before' : false,
  } as unknown as ChartDataset<'line'>;
}
