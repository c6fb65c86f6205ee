import { expect, test } from 'vitest';
import { numbersOfThreads, randomThreadCase } from '../support/numbersOfThreads.ts';

/** Models; ESPALIER_CASES=40 tries as many. */
const SEEDS = Array.from({ length: Number(process.env['ESPALIER_CASES'] ?? 12) }, (_, seed) => seed);

test.each(SEEDS.map((seed) => [randomThreadCase(seed).name, seed] as const))(
  '%s (seed %d): one thread and many give the same numbers, to the last bit',
  async (_, seed) => {
    const sizes = randomThreadCase(seed);
    const one = await numbersOfThreads(sizes, 1);
    for (const threads of [2, 3 + (seed % 6)]) expect(await numbersOfThreads(sizes, threads)).toEqual(one);
  },
);
