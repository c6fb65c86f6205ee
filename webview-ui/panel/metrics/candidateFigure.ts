import type { ChartFigure, SeriesPoint } from '../../../src/figures/figureSchema.ts';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { scattered } from './scattered.ts';
import type { PerplexityScale } from '../common/perplexityScale.ts';

/** More points than this are not told apart in print: those of a band are thinned evenly. */
const MOST_POINTS = 4000;

/**
 * Every candidate for print: perplexity against size, generations in bands, the best of each size joined. What lies above the scale stands
 * at its upper edge, as in the panel.
 */
export function candidateFigure(
  candidates: readonly MetricCandidate[],
  front: readonly MetricCandidate[],
  bands: readonly { readonly first: number; readonly last: number }[],
  { kind, min, max }: PerplexityScale,
  fitness: string,
): ChartFigure {
  const shown = candidates.filter((candidate) => fitnessOf(candidate) !== undefined);
  const every = Math.ceil(shown.length / MOST_POINTS);
  const pointOf = (candidate: MetricCandidate, x: number): SeriesPoint => ({
    x,
    y: Math.min(fitnessOf(candidate)!, max),
  });
  return {
    kind: 'chart',
    title: 'Every candidate',
    x: { label: 'size (operations and operands)', scale: 'linear', whole: true },
    y: { label: fitness, scale: kind === 'linear' ? 'linear' : 'log', min, max },
    series: [
      ...bands.map(({ first, last }) => ({
        name: first === last ? `generation ${first + 1}` : `generations ${first + 1}–${last + 1}`,
        mark: 'points' as const,
        points: shown
          .filter(({ generation }) => generation >= first && generation <= last)
          .filter((_, i) => i % every === 0)
          .map((candidate) => pointOf(candidate, scattered(candidate))),
      })),
      {
        name: 'best of each size',
        mark: 'front' as const,
        emphasis: 'reference' as const,
        hollow: true,
        points: front.map((candidate) => pointOf(candidate, candidate.size)),
      },
    ],
    legend: 'above',
  };
}
