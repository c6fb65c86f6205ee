import type { Rng } from '../base/rng.ts';
import type { SearchSettings } from '../experiment/search.ts';
import { costOf } from './candidate.ts';
import type { Evaluated } from './candidate.ts';

/** Metrics that parents are drawn from: the best first, no two of which remove the same weights. */
export type Population = readonly Evaluated[];

/**
 * The next population: the elites (the best that were evaluated in full), the offspring, and where these are fewer than the
 * population holds, since many were invalid or ranked the same, the best of the population before.
 */
export function nextPopulation(
  before: Population,
  offspring: readonly Evaluated[],
  settings: Pick<SearchSettings, 'population' | 'elites' | 'parsimony'>,
): Population {
  const elites = before.filter(({ complete }) => complete).slice(0, settings.elites);
  const protectedOnes = new Set(elites.map(({ identity }) => identity));
  const members = distinct([...elites, ...offspring.filter(({ loss }) => loss < Infinity)], settings);
  // The elites stay, even where more offspring than there is room for look better on a part of the text.
  const kept = members.filter(({ identity }) => protectedOnes.has(identity));
  kept.push(...members.filter((one) => !kept.includes(one)).slice(0, settings.population - kept.length));
  const identities = new Set(kept.map(({ identity }) => identity));
  const rest = before.filter(({ identity }) => !identities.has(identity));
  return sorted([...kept, ...rest.slice(0, settings.population - kept.length)], settings);
}

/** The best of so many that are drawn with equal chances; the one drawn first of equals. */
export function tournament(
  population: Population,
  rng: Rng,
  settings: Pick<SearchSettings, 'tournament' | 'parsimony'>,
): Evaluated {
  let best: Evaluated | undefined;
  for (let i = 0; i < settings.tournament; i++) {
    const one = population[rng.integer(population.length)]!;
    if (best === undefined || costOf(one, settings) < costOf(best, settings)) best = one;
  }
  return best!;
}

/** Of those that remove the same weights the smallest, and the oldest of these: it says the same with less. */
function distinct(members: readonly Evaluated[], settings: Pick<SearchSettings, 'parsimony'>): Evaluated[] {
  const kept = new Map<number, Evaluated>();
  for (const one of members) {
    const other = kept.get(one.identity);
    if (other === undefined || one.size < other.size) kept.set(one.identity, one);
  }
  return sorted([...kept.values()], settings);
}

function sorted(members: readonly Evaluated[], settings: Pick<SearchSettings, 'parsimony'>): Evaluated[] {
  return [...members].sort((a, b) => costOf(a, settings) - costOf(b, settings) || a.id - b.id);
}
