import type { ChartFigure, Emphasis, Series } from '../../../src/figures/figureSchema.ts';
import type { LineChartView } from './lineChart.ts';
import type { Line, LineStyle } from './lines.ts';

/** How the lines of a panel look in print. */
const PRINTED: Readonly<Record<LineStyle, { readonly mark: Series['mark']; readonly emphasis: Emphasis }>> = {
  best: { mark: 'step', emphasis: 'main' },
  median: { mark: 'line', emphasis: 'normal' },
  mean: { mark: 'line', emphasis: 'normal' },
  worst: { mark: 'line', emphasis: 'faint' },
  random: { mark: 'step', emphasis: 'normal' },
  dense: { mark: 'line', emphasis: 'reference' },
  baseline: { mark: 'line', emphasis: 'reference' },
  second: { mark: 'line', emphasis: 'reference' },
  third: { mark: 'line', emphasis: 'reference' },
  overlay: { mark: 'step', emphasis: 'normal' },
  raw: { mark: 'line', emphasis: 'faint' },
  smooth: { mark: 'line', emphasis: 'main' },
  mark: { mark: 'points', emphasis: 'main' },
};

/**
 * Lines over generations or steps for print, on the same part of the perplexities: what has left it is left out, but dense below it, which
 * is what all is measured by, and stands below a break of the axis.
 *
 * @returns undefined where there is nothing to draw
 */
export function lineFigure(
  title: string,
  { lines, scale, along, first, values }: LineChartView,
): ChartFigure | undefined {
  if (scale.max <= 0) return undefined;
  const dense = lines.find(({ style }) => style === 'dense')?.points.at(-1)?.y;
  const isBelow = dense !== undefined && dense < scale.min && scale.kind === 'linear';
  const reached = (line: Line): boolean => line.points.some(({ y }) => y >= scale.min && y <= scale.max);
  const shown = lines.filter((line) => reached(line) || (isBelow && line.style === 'dense'));
  const last = Math.max(
    first + 1,
    ...lines.flatMap(({ points, style }) => (isConstant(style) ? [] : points.map(({ x }) => x))),
  );
  const piece = 0.1 * (scale.max - scale.min);
  return {
    kind: 'chart',
    title,
    x: { label: along, scale: 'linear', min: first, max: last, whole: true },
    y: {
      label: values?.title ?? 'perplexity',
      scale: scale.kind === 'linear' ? 'linear' : 'log',
      min: isBelow ? dense - piece : scale.min,
      max: scale.max,
      ...(isBelow && dense + piece < scale.min && { gap: { from: dense + piece, to: scale.min } }),
    },
    series: shown.map(({ label, points, style }) => ({
      name: label,
      ...PRINTED[style],
      points: points.map(({ x, y }) => ({ x, y })),
    })),
    legend: 'direct',
  };
}

function isConstant(style: LineStyle): boolean {
  return PRINTED[style].emphasis === 'reference';
}
