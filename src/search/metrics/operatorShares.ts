import { fitnessOf, isComplete } from '../lifecycle/outcome.ts';
import type { MetricCandidate, VariationOperator } from './events.ts';
import type { MetricState } from './state.ts';

/** What one operator has contributed. */
export interface OperatorShare {
  readonly operator: VariationOperator;
  /** What it has made, and how much of it was evaluated on the whole text: known rankings are not evaluated again. */
  readonly candidates: number;
  readonly full: number;
  /** Of those in full that have parents, how many are better than each of them. Null for an operator that needs none. */
  readonly betterThanParents: number | null;
  /** How often one of its candidates became the best of all. */
  readonly improvements: number;
}

/** How a candidate got on, for whoever counts. */
export type Improvement = 'best' | 'parents' | undefined;

/** All operators that have made something, those with the most improvements first. */
export function operatorShares(
  state: Pick<MetricState, 'candidates' | 'byId' | 'improvements'>,
): readonly OperatorShare[] {
  const counts = new Map<VariationOperator, { -readonly [Name in keyof OperatorShare]: OperatorShare[Name] }>();
  const improvements = improvementsOf(state);
  for (const candidate of state.candidates) {
    const { operator, parents, outcome } = candidate;
    const none = { operator, candidates: 0, full: 0, betterThanParents: null, improvements: 0 };
    const count = counts.get(operator) ?? none;
    counts.set(operator, count);
    count.candidates++;
    if (outcome.kind === 'full') count.full++;
    if (parents.length > 0)
      count.betterThanParents = (count.betterThanParents ?? 0) + (isBetter(candidate, state) ? 1 : 0);
    if (improvements.has(candidate.id)) count.improvements++;
  }
  return [...counts.values()].sort((a, b) => b.improvements - a.improvements || b.candidates - a.candidates);
}

/** Of each candidate whether it became the best of all, or is better than its parents at least; in the order of the candidates. */
export function improvementOf(
  state: Pick<MetricState, 'byId' | 'improvements'>,
): (candidate: MetricCandidate) => Improvement {
  const improvements = improvementsOf(state);
  return (candidate) => (improvements.has(candidate.id) ? 'best' : isBetter(candidate, state) ? 'parents' : undefined);
}

function improvementsOf({ improvements }: Pick<MetricState, 'improvements'>): ReadonlySet<number> {
  return new Set(improvements.map(({ id }) => id));
}

/** On the whole text, than each of its parents, whose fitness may be an estimate. */
function isBetter(candidate: MetricCandidate, { byId }: Pick<MetricState, 'byId'>): boolean {
  if (candidate.parents.length === 0 || candidate.outcome.kind === 'shared' || !isComplete(candidate, byId))
    return false;
  const fitness = fitnessOf(candidate) ?? Infinity;
  return candidate.parents.every((id) => fitness < (fitnessOf(byId.get(id) ?? NOBODY) ?? Infinity));
}

const NOBODY = { outcome: { kind: 'invalid', detail: '' } } as const;
