import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HIDDEN } from '../../../src/engine/graph/attentionMask.ts';
import { ReusedArrays } from '../../../src/engine/runtime/reusedArrays.ts';
import { packedRow, placesOf } from '../../../src/engine/scoring/packedRow.ts';
import { packSequences } from '../../../src/engine/scoring/packSequences.ts';
import type { Sequence } from '../../../src/engine/scoring/sequence.ts';

// What a row says of a sequence is read off its mask, as attention reads it: the tokens that the one before an asked token sees.

const sequence = fc
  .array(fc.nat(3), { minLength: 2, maxLength: 40 })
  .chain((ids) =>
    fc.record({ ids: fc.constant(Int32Array.from(ids)), from: fc.integer({ min: 1, max: ids.length - 1 }) }),
  );

const anyWindow = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });

test('every asked token sees its sequence, in order, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(sequence, { maxLength: 60 }), anyWindow, (sequences, window) => {
      const asked: string[] = [];
      for (const plan of packSequences(sequences)) {
        const row = packedRow(plan, sequences);
        const places = placesOf([row], new ReusedArrays());
        const { positions, longest } = places;
        const mask = places.mask(window);
        for (const token of row.asked) {
          const seen = keysOf(mask, token.at, plan.length);
          const { ids } = sequences[token.sequence]!;
          const read = ids.subarray(Math.max(0, token.index - (window ?? Infinity)), token.index);
          expect(seen.map((key) => row.ids[key])).toEqual([...read]);
          expect(positions[token.at]).toBe(token.index - 1);
          expect(longest).toBeGreaterThanOrEqual(token.index);
          asked.push(`${token.sequence} ${token.index}`);
        }
      }
      const wanted = sequences.flatMap(({ ids, from }, i) =>
        Array.from({ length: ids.length - from }, (_, place) => `${i} ${from + place}`),
      );
      expect(asked.sort()).toEqual(wanted.sort());
    }),
    { numRuns: 200, seed: 3 },
  );
});

const range = (begin: number, end: number): number[] => Array.from({ length: end - begin }, (_, i) => begin + i);
const withEnding = (context: readonly number[], ending: readonly number[]): Sequence => ({
  ids: Int32Array.of(...context, ...ending),
  from: context.length,
});

test.each<[string, readonly Sequence[], readonly number[], number]>([
  ['four letters behind a question are one run', [1, 2, 3, 4].map((id) => withEnding(range(5, 105), [id])), [128], 100],
  ['endings share their context', [1, 2].map((id) => withEnding(range(5, 105), [id, 7, 8])), [128], 104],
  [
    'what does not fit together goes apart',
    [1, 2, 3].map((id) => withEnding([id], range(5, 205))),
    [256, 256, 256],
    600,
  ],
  ['short ones fill rows', range(0, 20).map((id) => withEnding([id], range(5, 55))), [256, 256, 256, 256], 1000],
  ['one longer than a row', [withEnding(range(0, 700), [1])], [768], 700],
  ['nothing', [], [], 0],
])('%s', (_, sequences, lengths, tokens) => {
  const plans = packSequences(sequences);
  expect(plans.map(({ length }) => length)).toEqual(lengths);
  expect(plans.map((plan) => packedRow(plan, sequences).used).reduce((a, b) => a + b, 0)).toBe(tokens);
});

function keysOf(mask: Float32Array, token: number, length: number): number[] {
  const row = [...mask.subarray(token * length, (token + 1) * length)];
  expect(row.every((value) => value === 0 || value === HIDDEN)).toBe(true);
  return row.flatMap((value, key) => (value === 0 ? [key] : []));
}
