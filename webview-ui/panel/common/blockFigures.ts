import type { ChartFigure, HeatFigure } from '../../../src/figures/figureSchema.ts';
import type { BlockBarsView, HeatMapView, HistogramView } from './blockViews.ts';

/** A share for each block as bars for print; what is the same everywhere is a line, anything else points. */
export function barsFigure(title: string, { bars, references, meaning }: BlockBarsView): ChartFigure {
  const points = (values: readonly number[]): { x: number; y: number }[] =>
    values.flatMap((y, i) => (Number.isFinite(y) ? [{ x: i + 1, y }] : []));
  const blocks = bars.values.length;
  return {
    kind: 'chart',
    title,
    x: { label: 'block', scale: 'linear', min: 0.4, max: blocks + 0.6, whole: true },
    y: { label: meaning, scale: 'linear', format: 'share' },
    series: [
      { name: bars.label, mark: 'bars', points: points(bars.values) },
      ...references.map(({ label, values, style }) => {
        const isEven = style === 'uniform' && values.length > 0;
        const across = [0.5, blocks + 0.5].map((x) => ({ x, y: values[0]! }));
        const mark: 'line' | 'points' = isEven ? 'line' : 'points';
        return { name: label, mark, emphasis: 'reference' as const, points: isEven ? across : points(values) };
      }),
    ],
    legend: 'above',
  };
}

/** How keep-probabilities are distributed. */
export function histogramFigure(title: string, { series }: HistogramView): ChartFigure {
  return {
    kind: 'chart',
    title,
    x: { label: 'keep-probability', scale: 'linear', min: 0, max: 1 },
    y: { label: 'share of components', scale: 'linear', format: 'share', min: 0 },
    series: series.map(({ label, shares }) => ({
      name: label,
      mark: 'bars',
      points: shares.map((y, bin) => ({ x: (bin + 0.5) / shares.length, y })),
    })),
    legend: 'above',
  };
}

/** A matrix for print. @param rowLabel what the rows are: `block` */
export function heatFigure(title: string, rowLabel: string, view: HeatMapView): HeatFigure {
  const { rows, columns, at, min, max, along, counts, columnNumber, meaning, isShare } = view;
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return {
    kind: 'heat',
    title,
    rowLabel,
    columnLabel: counts ?? (along === '' ? 'block' : along),
    rows: numbers(rows).map((row) => (rows === 1 ? '' : String(row + 1))),
    columns: numbers(columns).map((column) => String(columnNumber(column))),
    values: numbers(rows).map((row) =>
      numbers(columns).map((column) => {
        const value = at(row, column);
        return Number.isFinite(value) ? value : null;
      }),
    ),
    ...{ min, max, meaning },
    ...(isShare && { format: 'share' }),
  };
}
