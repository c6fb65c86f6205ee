import type { ChartDataset } from 'chart.js';
import { formatPerplexity } from '../../src/experiment/format.ts';
import { h } from '../shared/dom.ts';
import type { Theme } from '../shared/theme.ts';
import { baseOptions, countAxis, perplexityAxis } from './charts.ts';
import { LiveChart } from './liveChart.ts';
import { lineLabels } from './lineLabels.ts';
import { perplexityScale } from './perplexityScale.ts';
import type { PerplexityScale } from './perplexityScale.ts';

export interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly style: LineStyle;
}

export type LineStyle =
  'best' | 'median' | 'mean' | 'worst' | 'random' | 'dense' | 'baseline' | 'second' | 'overlay' | 'raw';

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

/** Times the lowest value of importance: what lies above does not stretch the scale. */
const FAR = 1.2;
/** Lines that are the same everywhere have nothing to say at a point. */
const CONSTANT: readonly LineStyle[] = ['dense', 'baseline', 'second'];

/** Named lines over generations or steps, each told from the others by colour, dash and mark. */
export class LineChart {
  readonly canvas = h('canvas', { role: 'img' });
  private readonly live = new LiveChart(this.canvas);
  private along = '';
  private format = formatPerplexity;

  show(theme: Theme, { lines, scale, along, first, last, values }: LineChartView): void {
    this.along = along;
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
        layout: { padding: { right: 118, top: 4 } },
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
      plugins: [lineLabels(theme.foreground, theme.font, theme.fontSize - 2)],
    }));
  }
}

/** From dense to what competes with the best: lines that lie far above leave at the top, and their labels say so. */
export function scaleOf(lines: readonly Line[]): PerplexityScale {
  const valuesOf = (...styles: readonly LineStyle[]): number[] =>
    lines.filter(({ style }) => styles.includes(style)).flatMap(({ points }) => points.map(({ y }) => y));
  const important = valuesOf('best', 'random', 'overlay', 'dense');
  const lowest = Math.min(...important, ...valuesOf('baseline', 'second'));
  const others = valuesOf('baseline', 'second', 'mean', 'median').filter((value) => value < FAR * lowest);
  return perplexityScale([], [...important, ...others]);
}

/** From the best to what it is compared with. Structural pruning is far from dense, which then is told below the chart. */
export function closeScaleOf(lines: readonly Line[]): PerplexityScale {
  const valuesOf = (...styles: readonly LineStyle[]): number[] =>
    lines.filter(({ style }) => styles.includes(style)).flatMap(({ points }) => points.map(({ y }) => y));
  const important = valuesOf('best', 'median', 'overlay', 'baseline', 'second');
  const dense = valuesOf('dense');
  const [lowest, highest] = [Math.min(...important, ...valuesOf('mean')), Math.max(...important)];
  const near = dense.filter((value) => important.length === 0 || lowest - value < highest - lowest);
  return perplexityScale([], [...important, ...near, ...valuesOf('mean').filter((value) => value < FAR * lowest)]);
}

/** Where the lines went that are not in sight. */
export function outOfScale(lines: readonly Line[], { min, max }: PerplexityScale): string {
  const named = (isOut: (y: number) => boolean): string =>
    lines
      .flatMap(({ label, points }) => {
        const last = points.at(-1);
        return last && isOut(last.y) ? [`${label} ${formatPerplexity(last.y)}`] : [];
      })
      .join(', ');
  const [above, below] = [named((y) => y > max), named((y) => y < min)];
  return [
    ...(above === '' ? [] : [`above the scale: ${above}`]),
    ...(below === '' ? [] : [`below the scale: ${below}`]),
  ].join(' · ');
}

/** A step to end an axis at, `share` of what is through beyond it: of two digits, not beyond all that are planned. */
export function lastStep(steps: number, planned: number, share: number): number {
  const wanted = Math.max(10, steps * (1 + share));
  const unit = 10 ** Math.floor(Math.log10(wanted) - 1);
  return Math.min(Math.max(planned, 10), Math.ceil(wanted / unit / 5) * 5 * unit);
}

/** A value that is the same from `first` to `last`. */
export function across(y: number, first: number, last: number): Line['points'] {
  return [
    { x: first, y },
    { x: last, y },
  ];
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
    overlay: { colour: theme.red, width: 2, dash: [3, 3] },
    raw: { colour: theme.muted, width: 1, dash: [] },
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
    pointStyle: style === 'median' ? 'triangle' : style === 'random' ? 'rectRot' : 'circle',
    pointRadius: isMarked && points.length <= 40 ? 2.5 : 0,
    pointHitRadius: 6,
    stepped: style === 'best' || style === 'random' || style === 'overlay' ? 'before' : false,
  } as unknown as ChartDataset<'line'>;
}
