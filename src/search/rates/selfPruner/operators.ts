import type { Rng } from '../../../base/rng.ts';
import type { RateOperator } from '../events.ts';
import { projectRates, projectSome } from '../rates.ts';
import type { RateSpace } from '../rates.ts';

/** A configuration as an operator makes it. */
export interface Made {
  readonly operator: RateOperator;
  readonly parents: readonly number[];
  readonly rates: readonly number[];
}

/** What classical operators take parents from: the best first. */
export interface Parent {
  readonly id: number;
  readonly rates: readonly number[];
}

/**
 * The first configurations: uniform rates, OWL's, then normal deviations with standard deviation `spread` from one or the other.
 *
 * @param index in the order of the first generation
 */
export function spreadRates(
  index: number,
  owl: readonly number[] | undefined,
  spread: number,
  space: RateSpace,
  rng: Rng,
): Made {
  const uniform = space.shares.map(() => space.mean);
  const centres = owl ? [uniform, owl] : [uniform];
  const centre = centres[index % centres.length]!;
  if (index < centres.length) {
    return { operator: index === 0 ? 'uniform' : 'owl', parents: [], rates: projectRates(centre, space) };
  }
  const values = centre.map((rate) => rate + spread * rng.normal());
  return { operator: 'spread', parents: [], rates: projectRates(values, space) };
}

/** Every rate uniform in the widest range around the mean that [0, 1] has room for, then projected onto the mean. */
export function randomRates(space: RateSpace, rng: Rng): Made {
  const width = Math.min(space.mean, 1 - space.mean);
  const values = space.shares.map(() => space.mean + width * (2 * rng.uniform() - 1));
  return { operator: 'random', parents: [], rates: projectRates(values, space) };
}

/**
 * A normal step from one parent, half the time of all blocks and half the time of two to a quarter of them. What some blocks gain the
 * others of the step lose.
 */
export function mutateRates(population: readonly Parent[], step: number, space: RateSpace, rng: Rng): Made {
  const { id, rates } = choose(population, rng);
  const count = rates.length;
  const few = Math.min(count, 2 + rng.integer(Math.max(1, Math.floor(count / 4) - 1)));
  const blocks = rng.uniform() < 0.5 ? rates.map((_, i) => i) : sample(count, few, rng);
  const values = [...rates];
  for (const i of blocks) values[i]! += step * rng.normal();
  return { operator: 'gaussian', parents: [id], rates: projectSome(values, blocks, space) };
}

/** Each rate uniform between those of two parents and a quarter of their distance beyond (BLX-α of Eshelman and Schaffer, α = 0.25). */
export function crossRates(population: readonly Parent[], space: RateSpace, rng: Rng): Made {
  const first = choose(population, rng);
  const second = choose(
    population.filter(({ id }) => id !== first.id),
    rng,
  );
  const values = first.rates.map((rate, i) => {
    const share = -BEYOND + (1 + 2 * BEYOND) * rng.uniform();
    return rate + share * (second.rates[i]! - rate);
  });
  return { operator: 'blend', parents: [first.id, second.id], rates: projectRates(values, space) };
}

const BEYOND = 0.25;

/** The better of two that are drawn. @param population best first, not empty */
function choose(population: readonly Parent[], rng: Rng): Parent {
  const place = Math.min(rng.integer(population.length), rng.integer(population.length));
  return population[place]!;
}

/** Different indices below `count`, in the order of drawing. */
function sample(count: number, size: number, rng: Rng): readonly number[] {
  const indices = Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: size }, () => indices.splice(rng.integer(indices.length), 1)[0]!);
}
