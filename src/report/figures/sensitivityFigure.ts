import { plainLine } from '../../base/plainText.ts';
import type { Sensitivity, SensitivityCurve } from '../../experiment/sensitivity.ts';
import type { ChartFigure, SeriesPoint } from '../../figures/figureSchema.ts';

/** Beyond so many times the dense perplexity a linear axis shows nothing but the worst. */
const WIDE = 4;

/** One-at-a-time curves: perplexity block by block, a line for each sparsity; or what each type of layers costs, as bars. */
export function sensitivityFigure(sensitivity: Sensitivity): ChartFigure {
  return sensitivity.by === 'blocks' ? blocksFigure(sensitivity) : layersFigure(sensitivity);
}

function blocksFigure({ metric, parts, dense, curves }: Sensitivity): ChartFigure {
  const perplexities = curves.flatMap(({ points }) =>
    points.flatMap((point) => ('failure' in point ? [] : [point.perplexity])),
  );
  const isWide = Math.max(...perplexities) > WIDE * dense;
  return {
    kind: 'chart',
    title: plainLine(`Perplexity with one block alone pruned by ${metric}, block by block`),
    x: { label: 'block', scale: 'linear', whole: true },
    y: { label: 'perplexity', scale: isWide ? 'log' : 'linear' },
    series: [
      ...curves.toReversed().map((curve) => ({
        ...{ name: curve.sparsity, mark: 'line' as const },
        points: pointsOf(curve, 1, ({ perplexity }) => perplexity),
      })),
      { name: 'dense', mark: 'line', emphasis: 'reference', points: [1, parts.length].map((x) => ({ x, y: dense })) },
    ],
    legend: 'above',
  };
}

function layersFigure({ metric, parts, curves }: Sensitivity): ChartFigure {
  return {
    kind: 'chart',
    title: plainLine(`Increase of the loss with one type of layers alone pruned by ${metric}`),
    x: { label: 'linear layers, in all blocks', scale: 'linear', categories: parts.map((part) => plainLine(part)) },
    y: { label: 'loss increase (nats per token)', scale: 'linear' },
    series: curves.map((curve) => ({
      ...{ name: curve.sparsity, mark: 'bars' as const },
      points: pointsOf(curve, 0, ({ increase }) => increase),
    })),
    legend: 'above',
  };
}

type Found = Exclude<SensitivityCurve['points'][number], { failure: unknown }>;

/** @param first where the first part lies */
function pointsOf({ points }: SensitivityCurve, first: number, y: (found: Found) => number): readonly SeriesPoint[] {
  return points.flatMap((point, index) => ('failure' in point ? [] : [{ x: first + index, y: y(point) }]));
}
