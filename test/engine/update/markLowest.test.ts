import { expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { markLowest } from '../../../src/engine/update/markLowest.ts';

const rng = new Rng(5);
const CASES: readonly { readonly what: string; readonly scores: readonly number[] }[] = [
  { what: 'one', scores: [3] },
  { what: 'zeros', scores: [0, 0, 0, 0] },
  { what: 'equal ones among others', scores: [2, 1, 2, 0.5, 2, 3, 1e-30, 1e30] },
  {
    what: 'numbers whose bits differ in the lower half alone',
    scores: Array.from({ length: 50 }, (_, i) => 1 + ((i * 7) % 50) * 2e-7),
  },
  { what: 'random numbers', scores: Array.from({ length: 999 }, () => Math.abs(rng.normal())) },
  { what: 'numbers of all sizes', scores: Array.from({ length: 999 }, () => 10 ** (80 * rng.uniform() - 42)) },
];

it.each(CASES)('marks the lowest of $what, as sorting does', ({ scores }) => {
  const values = Float32Array.from(scores);
  const sorted = [...values].sort((a, b) => a - b);
  for (const k of new Set([0, 1, Math.floor(values.length / 2), values.length - 1].filter((k) => k < values.length))) {
    const lowest = new Float32Array(values.length);
    markLowest(values, k, lowest);
    expect([...lowest]).toEqual([...values].map((value) => Number(value <= sorted[k]!)));
  }
});
