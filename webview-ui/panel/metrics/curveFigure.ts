import type { Axis, ChartFigure } from '../../../src/figures/figureSchema.ts';
import type { CurveAxis } from '../../../src/view/panelMessages.ts';
import type { CurveSeries } from './curveViews.ts';

/** Perplexity curves for print, in the view that is chosen. @param dense what the line of the dense model is called */
export function curveFigure(
  series: readonly CurveSeries[],
  over: CurveAxis,
  scale: Axis['scale'],
  dense: string,
): ChartFigure {
  return {
    kind: 'chart',
    title: over === 'sparsity' ? 'Perplexity against sparsity' : 'Perplexity against calibration samples',
    x:
      over === 'sparsity'
        ? { label: 'sparsity', scale: 'linear', format: 'share' }
        : { label: 'calibration samples', scale: 'log', whole: true },
    y: { label: scale === 'difference' ? 'against the best baseline' : 'perplexity', scale },
    series: series.map(({ label, points }) => ({
      name: label,
      mark: 'line',
      ...(label === dense && { emphasis: 'reference' }),
      points: points.flatMap(({ at, value }) => (Number.isFinite(value) ? [{ x: at, y: value }] : [])),
    })),
    legend: 'direct',
  };
}
