import { expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { randomProduct, threadsThatChange } from '../../support/threadedPrograms.ts';

/** ESPALIER_CASES=10 tries a thousand products. */
const HUNDREDS = Array.from({ length: Number(process.env['ESPALIER_CASES'] ?? 4) }, (_, i) => 100 * (i + 1));

// The rules of the runtime's kernels stand in steadyThreads.ts: another version of it may have others.
test.each(HUNDREDS)('threads change no bit of a hundred random products, from seed %d', async (first) => {
  const changed: unknown[] = [];
  for (let seed = first; seed < first + 100; seed++) {
    const product = randomProduct(new Rng(seed));
    const threads = await threadsThatChange([2, 3, 4, 5, 8, 16, 32], product);
    if (threads.length > 0) changed.push([product, threads]);
  }
  expect(changed).toEqual([]);
});
