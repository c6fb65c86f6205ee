import type { MetricCandidate } from './events.ts';
import { isComplete, fitnessOf } from '../lifecycle/outcome.ts';
import type { MetricState } from './state.ts';

/** The best of each size that was evaluated in full, the smallest first; of equals the one that came first. */
export function hallOfFame(state: Pick<MetricState, 'candidates' | 'byId'>): readonly MetricCandidate[] {
  const best = new Map<number, MetricCandidate>();
  for (const candidate of state.candidates) {
    if (!isComplete(candidate, state.byId)) continue;
    const other = best.get(candidate.size);
    if (other === undefined || fitnessOf(candidate)! < fitnessOf(other)!) best.set(candidate.size, candidate);
  }
  return [...best.values()].sort((a, b) => a.size - b.size);
}

/** Those of the hall of fame that are better than everything smaller. */
export function paretoFront(state: Pick<MetricState, 'candidates' | 'byId'>): readonly MetricCandidate[] {
  let best = Infinity;
  return hallOfFame(state).filter((candidate) => {
    const fitness = fitnessOf(candidate)!;
    if (fitness >= best) return false;
    best = fitness;
    return true;
  });
}
