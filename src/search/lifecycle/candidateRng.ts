import { Rng } from '../../base/rng.ts';

/**
 * The randomness of one candidate, from the seed of the search and its id alone: neither workers nor resumes nor the other
 * candidates of a generation change it.
 */
export function candidateRng(seed: number, id: number): Rng {
  // The upper half of a seed is 21 bits wide; what of an id does not fit there goes to the lower half.
  const upper = id % UPPER;
  const lower = (new Rng(seed).uint32() + Math.floor(id / UPPER)) >>> 0;
  return new Rng(upper * 2 ** 32 + lower);
}

const UPPER = 2 ** 21;
