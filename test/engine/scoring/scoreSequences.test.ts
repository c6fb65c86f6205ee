import { describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { scoreSequences } from '../../../src/engine/scoring/scoreSequences.ts';
import type { Sequence } from '../../../src/engine/scoring/sequence.ts';
import { familyDevices } from '../../support/familyDevices.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { row } from '../../support/oracle/matrix.ts';
import { forward, loadOracle } from '../../support/oracle/model.ts';
import { openDenseModel } from '../structure/denseModel.ts';

// Packed with others, a sequence has the log-probabilities that plain loops in float64 give it alone.

describe.each(await familyDevices())('%s on %s', (name, on) => {
  test('log-probabilities, the most likely tokens, and their order', async () => {
    const model = await openDenseModel(name, 2, FAMILIES[name].length, on);
    try {
      const { inputs, family, checkpoint } = model;
      const sequences = sequencesOf(inputs.samples, checkpoint.config.vocabulary);
      const scored = await scoreSequences({ ...inputs, checkpoint }, sequences, { top: 3 });
      const oracle = loadOracle(family.folder);
      for (const [i, { ids, from }] of sequences.entries()) {
        const logits = forward(oracle, [...ids.subarray(0, -1)]);
        for (const [place, { logProbability, top }] of scored[i]!.entries()) {
          const expected = logSoftmax(row(logits, from + place - 1));
          expect(Math.abs(logProbability - expected[ids[from + place]!]!)).toBeLessThan(2e-4);
          const best = [...expected].sort((a, b) => b - a).slice(0, 3);
          for (const [rank, token] of top.entries()) {
            expect(Math.abs(token.logProbability - best[rank]!)).toBeLessThan(2e-4);
            expect(Math.abs(expected[token.id]! - best[rank]!)).toBeLessThan(2e-4);
          }
        }
      }
    } finally {
      await model.close();
    }
  });
});

/** A text with five endings, one of them a token alone, another text, and one of two tokens. */
function sequencesOf([first, second]: readonly Int32Array[], vocabulary: number): Sequence[] {
  const rng = new Rng(5);
  const token = (): number => Math.floor(rng.uniform() * vocabulary);
  const shared = [...first!.subarray(0, first!.length - 6)];
  const endings = [1, 4, 4, 6, 1].map((count) => Array.from({ length: count }, token));
  return [
    ...endings.map((ending) => ({ ids: Int32Array.of(...shared, ...ending), from: shared.length })),
    { ids: second!, from: 1 },
    { ids: Int32Array.of(token(), token()), from: 1 },
  ];
}

function logSoftmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const logSum = largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return values.map((value) => value - logSum);
}
