import type { Rng } from '../../base/rng.ts';
import type { Evaluated } from './candidate.ts';
import type { Knowledge } from './knowledge.ts';
import type { MetricSearchSettings } from './settings.ts';

/** Metrics that parents are drawn from: the cheapest first, no two of which remove the same weights. */
export type Population = readonly Member[];

export interface Member {
  readonly candidate: Evaluated;
  /** Expected loss on the whole fitness text, plus what the size costs: raw losses stay as they were measured. */
  readonly cost: number;
}

/**
 * The next population: the elites (the best that were evaluated in full), the offspring, and where these are fewer than the
 * population holds, since many were invalid or ranked the same, the best of the population before. Costs are taken anew, since
 * later measurements tell how far estimates can be trusted.
 */
export function nextPopulation(
  before: readonly Evaluated[],
  offspring: readonly Evaluated[],
  settings: Pick<MetricSearchSettings, 'population' | 'elites' | 'parsimony'>,
  knowledge: Pick<Knowledge, 'expectedLoss'>,
): Population {
  const ranked = rankedBy(settings, knowledge);
  const former = ranked(before).map(({ candidate }) => candidate);
  const elites = former.filter(({ stoppedAt }) => stoppedAt === undefined).slice(0, settings.elites);
  const elite = new Set(elites.map(({ identity }) => identity));
  const members = ranked(distinct([...elites, ...offspring.filter(({ loss }) => loss < Infinity)]));
  // The elites stay, even where more offspring than there is room for look better on a part of the text.
  const kept = members.filter(({ candidate }) => elite.has(candidate.identity));
  kept.push(...members.filter((one) => !kept.includes(one)).slice(0, settings.population - kept.length));
  const identities = new Set(kept.map(({ candidate }) => candidate.identity));
  const rest = former.filter(({ identity }) => !identities.has(identity));
  const filled = rest.slice(0, settings.population - kept.length);
  return ranked([...kept.map(({ candidate }) => candidate), ...filled]);
}

/**
 * The population with one more that was settled: it takes the place of the worst (replace worst, as in GENITOR, Whitley 1989; the elites
 * stay here, too), or its own where it is that. Of those that remove the same weights the smallest stays.
 */
export function withOffspring(
  before: Population,
  offspring: Evaluated,
  settings: Pick<MetricSearchSettings, 'population' | 'elites' | 'parsimony'>,
  knowledge: Pick<Knowledge, 'expectedLoss'>,
): Population {
  if (offspring.loss === Infinity) return before;
  const members = rankedBy(settings, knowledge)(distinct([...before.map(({ candidate }) => candidate), offspring]));
  if (members.length <= settings.population) return members;
  const elites = members.filter(({ candidate }) => candidate.stoppedAt === undefined).slice(0, settings.elites);
  const worst = members.findLast((member) => !elites.includes(member));
  return members.filter((member) => member !== worst);
}

/** The best of so many that are drawn with equal chances; the one drawn first of equals. */
export function tournament(population: Population, rng: Rng, rounds: number): Evaluated {
  let best = population[rng.integer(population.length)]!;
  for (let i = 1; i < rounds; i++) {
    const one = population[rng.integer(population.length)]!;
    if (one.cost < best.cost) best = one;
  }
  return best.candidate;
}

function rankedBy(
  { parsimony }: Pick<MetricSearchSettings, 'parsimony'>,
  knowledge: Pick<Knowledge, 'expectedLoss'>,
): (candidates: readonly Evaluated[]) => Member[] {
  const costOf = (candidate: Evaluated): number => knowledge.expectedLoss(candidate) + parsimony * candidate.size;
  return (candidates) =>
    candidates
      .map((candidate) => ({ candidate, cost: costOf(candidate) }))
      .sort((a, b) => a.cost - b.cost || a.candidate.id - b.candidate.id);
}

/** Of those that remove the same weights the smallest, and the oldest of these: it says the same with less. */
function distinct(candidates: readonly Evaluated[]): readonly Evaluated[] {
  const kept = new Map<number, Evaluated>();
  for (const one of candidates) {
    const other = kept.get(one.identity);
    if (other === undefined || one.size < other.size) kept.set(one.identity, one);
  }
  return [...kept.values()];
}
