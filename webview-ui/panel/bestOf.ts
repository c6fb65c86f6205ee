import type { Candidate, SearchCounts } from '../../src/experiment/searchEvents.ts';
import type { PanelData } from './panelData.ts';

/** A candidate that was evaluated on the whole text. */
export interface Evaluated {
  readonly candidate: Candidate;
  readonly perplexity: number;
}

/** The best so far, from full evaluations alone: what a part of the text promises is no result. */
export function bestOf({ candidates, finished }: Pick<PanelData, 'candidates' | 'finished'>): Evaluated | undefined {
  // The finalists' sequential evaluation has the last word.
  const chosen = finished && candidates[finished.best[0] ?? -1];
  if (chosen && chosen.outcome.kind !== 'invalid') return { candidate: chosen, perplexity: chosen.outcome.perplexity };
  let best: Evaluated | undefined;
  for (const candidate of candidates) {
    const { outcome } = candidate;
    if (outcome.kind === 'full' && (best === undefined || outcome.perplexity < best.perplexity))
      best = { candidate, perplexity: outcome.perplexity };
  }
  return best;
}

/**
 * Best perplexity at each size: those that no other candidate of the same size or a smaller one betters, smallest first.
 * Full evaluations alone count.
 */
export function paretoFront(candidates: readonly Candidate[]): readonly Evaluated[] {
  const bySize = new Map<number, Evaluated>();
  for (const candidate of candidates) {
    if (candidate.outcome.kind !== 'full') continue;
    const { perplexity } = candidate.outcome;
    const same = bySize.get(candidate.size);
    if (same === undefined || perplexity < same.perplexity) bySize.set(candidate.size, { candidate, perplexity });
  }
  let lowest = Infinity;
  return [...bySize.values()]
    .sort((a, b) => a.candidate.size - b.candidate.size)
    .filter(({ perplexity }) => {
      if (perplexity >= lowest) return false;
      lowest = perplexity;
      return true;
    });
}

/** Counts over the whole search so far, those of the generation in progress included. */
export function countsOf({
  candidates,
  generations,
  finished,
}: Pick<PanelData, 'candidates' | 'generations' | 'finished'>): SearchCounts {
  const known = finished?.counts ?? generations.at(-1)?.counts;
  const from = known?.candidates ?? 0;
  const counts = {
    ...(known ?? { candidates: 0, invalid: 0, duplicates: 0, stoppedEarly: 0, fullEvaluations: 0, evaluations: 0 }),
  };
  for (const { outcome } of candidates.slice(from)) {
    counts.candidates++;
    if (outcome.kind === 'invalid') counts.invalid++;
    else if (outcome.kind === 'shared') counts.duplicates++;
    else if (outcome.kind === 'stopped') counts.stoppedEarly++;
    else {
      counts.fullEvaluations++;
      counts.evaluations++;
    }
  }
  return counts;
}
