// What one run of CI tries of things that take long and rarely break.
import { createHash } from 'node:crypto';

/** In an order that the seed says, the same for the same seed whatever the order of the names. */
export function orderBySeed(seed, names) {
  const rank = (name) => createHash('sha256').update(`${seed} ${name}`).digest('hex');
  return names.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/**
 * Those that are wanted whatever they take, then whatever of the others, in their order, still fits into the budget.
 *
 * @param secondsOf of a name
 */
export function withinBudget(order, wanted, budget, secondsOf) {
  const chosen = new Set(wanted);
  let left = [...chosen].reduce((rest, name) => rest - secondsOf(name), budget);
  for (const name of order) {
    if (chosen.has(name) || secondsOf(name) > left) continue;
    chosen.add(name);
    left -= secondsOf(name);
  }
  return [...chosen].sort();
}
