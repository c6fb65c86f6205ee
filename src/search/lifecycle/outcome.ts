import type { Outcome } from './events.ts';

/** A candidate of whatever kind, with what became of it. */
interface Settled {
  readonly outcome: Outcome;
}

/** On the scale of the whole fitness text; undefined for a candidate that cannot rank. */
export function perplexityOf({ outcome }: Settled): number | undefined {
  return outcome.kind === 'invalid' ? undefined : outcome.perplexity;
}

/**
 * Whether it, or the one whose evaluation it shares, was measured on the whole text, as baselines are: otherwise its perplexity is an
 * estimate, which ranks among the others but is never the best.
 */
export function isComplete({ outcome }: Settled, byId: ReadonlyMap<number, Settled>): boolean {
  return outcome.kind === 'full' || (outcome.kind === 'shared' && byId.get(outcome.of)?.outcome.kind !== 'stopped');
}
