import type { ChartFigure, SeriesPoint } from '../../figures/figureSchema.ts';
import { inputName } from '../../experiment/hubName.ts';
import { plainLine } from '../../base/plainText.ts';
import type { Reported, ReportedEvaluation, ReportedRun } from '../reported.ts';
import { conditionOf, groupedBy, questionOf, spreadOf } from '../seeds.ts';
import { shortName } from '../tables/methods.ts';
import type { ReportedFigure } from './reportedFigure.ts';
import { runFigures } from './runFigures.ts';

/** Every figure of a report. */
export function reportFigures({ evaluations, runs }: Reported): readonly ReportedFigure[] {
  const curves = groupedBy(evaluations, conditionOf).flatMap((group): Omit<ReportedFigure, 'id'>[] => {
    const figure = perplexityFigure(group);
    return figure ? [figure] : [];
  });
  const ofRuns = groupedBy(runs, questionOf).flatMap((group: readonly ReportedRun[], i) =>
    runFigures(group, runs.length === 1 ? '' : `-${i + 1}`),
  );
  return [
    ...curves.map((figure, i) => ({ id: curves.length === 1 ? 'perplexity' : `perplexity-${i + 1}`, ...figure })),
    ...ofRuns,
  ];
}

/** Perplexity against the share that goes, a line for each method; the spread of seeds as a band. */
function perplexityFigure(group: readonly ReportedEvaluation[]): Omit<ReportedFigure, 'id'> | undefined {
  const shares = group.filter(
    ({ result }) => result.sparsity?.kind === 'unstructured' && Number.isFinite(result.perplexity),
  );
  const methods = groupedBy(shares, ({ result }) => result.metric);
  const series = methods.map((of) => ({
    name: shortName(of[0]!.result.metric),
    mark: 'front' as const,
    points: pointsOf(of),
  }));
  const xs = new Set(series.flatMap(({ points }) => points.map(({ x }) => x)));
  // One sparsity is no curve.
  if (xs.size < 2) return undefined;
  const [first] = shares;
  const { inputs, result } = first!;
  const dense = result.densePerplexity!;
  const ends = [Math.min(...xs), Math.max(...xs)];
  const all = series.flatMap(({ points }) => points.map(({ y }) => y));
  const title = `Perplexity of ${inputName(inputs.model)} on ${inputName(inputs.text ?? '')} against the share of weights that is removed`;
  const figure: ChartFigure = {
    kind: 'chart',
    title: plainLine(title),
    x: { label: 'share removed', scale: 'linear', format: 'share' },
    y: { label: 'perplexity', scale: Math.max(...all) > 10 * dense ? 'log' : 'linear' },
    series: [
      ...series.map((one) => ({ ...one, mark: 'line' as const })),
      { name: 'dense', mark: 'line', emphasis: 'reference', points: ends.map((x) => ({ x, y: dense })) },
    ],
    legend: series.length > 6 ? 'above' : 'direct',
  };
  return { caption: `${plainLine(title)}.`, figure };
}

function pointsOf(of: readonly ReportedEvaluation[]): readonly SeriesPoint[] {
  return groupedBy(of, ({ result }) => String(result.sparsity?.kind === 'unstructured' && result.sparsity.share))
    .map((at): SeriesPoint => {
      const { mean, deviation } = spreadOf(at.map(({ result }) => result.perplexity!));
      const { sparsity } = at[0]!.result;
      const x = sparsity?.kind === 'unstructured' ? sparsity.share : 0;
      return { x, y: mean, ...(deviation !== undefined && { low: mean - deviation, high: mean + deviation }) };
    })
    .sort((a, b) => a.x - b.x);
}
