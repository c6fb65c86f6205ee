import { sum } from '../../base/sum.ts';

// How a learning rate that is too high shows: what was seen, for a person, or undefined where nothing was.

/** Nats above where it began that a loss counts as running away: a perplexity more than e times as high. */
const TOO_MUCH = 1;
/** Losses of single batches are averaged over so many steps, for their noise. */
const STEPS = 10;

/** @param before mean loss before the first step; null where it was not finite */
export function divergedOnHeldOut(before: number | null, now: number): string | undefined {
  if (before === null || now - before <= TOO_MUCH) return undefined;
  return `the loss on the held-out text rose from ${before.toFixed(3)} to ${now.toFixed(3)}`;
}

/** @param losses of all steps so far, in their order */
export function divergedInTraining(losses: readonly number[]): string | undefined {
  if (losses.length < 2 * STEPS) return undefined;
  const [first, last] = [meanOf(losses.slice(0, STEPS)), meanOf(losses.slice(-STEPS))];
  if (last - first <= TOO_MUCH) return undefined;
  return `the loss of ${STEPS} steps rose from ${first.toFixed(3)} at the beginning to ${last.toFixed(3)}`;
}

function meanOf(values: readonly number[]): number {
  return sum(values) / values.length;
}
