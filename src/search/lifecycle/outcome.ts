import type { Measured, Outcome } from './events.ts';
import { fitnessIn, lossOfFitness, measuredIn, objectiveIn } from './objective.ts';

/** A candidate of whatever kind, with what became of it. */
interface Settled {
  readonly outcome: Outcome;
}

/** On the scale of the whole fitness text; undefined for a candidate that cannot rank. */
export function fitnessOf({ outcome }: Settled): number | undefined {
  return outcome.kind === 'invalid' ? undefined : fitnessIn(outcome);
}

/** The same in the words of its objective, with the accuracy where it is known. */
export function measuredOf({ outcome }: Settled): Measured | undefined {
  return outcome.kind === 'invalid' ? undefined : measuredIn(outcome);
}

/** Its mean loss in nats, by whatever it was measured; undefined for a candidate that cannot rank. */
export function lossOf({ outcome }: Settled): number | undefined {
  if (outcome.kind === 'invalid') return undefined;
  return lossOfFitness(fitnessIn(outcome)!, objectiveIn(outcome));
}

/**
 * Whether it, or the one whose evaluation it shares, was measured on the whole text, as baselines are: otherwise its fitness is an
 * estimate, which ranks among the others but is never the best.
 */
export function isComplete({ outcome }: Settled, byId: ReadonlyMap<number, Settled>): boolean {
  return outcome.kind === 'full' || (outcome.kind === 'shared' && byId.get(outcome.of)?.outcome.kind !== 'stopped');
}
