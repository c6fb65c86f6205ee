import { describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { BlockLayout } from '../../../src/engine/families/family.ts';
import { type MaskInputs, maskInputs } from '../../../src/engine/forward/maskInputs.ts';
import { narrowedRows } from '../../../src/engine/scoring/narrowedRows.ts';
import type { PackedRow } from '../../../src/engine/scoring/packedRow.ts';
import { disposePacked, packAll, type PackedSequences } from '../../../src/engine/scoring/packedSequences.ts';
import { ScoredStream, type Scores } from '../../../src/engine/scoring/scoredStream.ts';
import { familyDevices } from '../../support/familyDevices.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { narrowPacked } from '../../support/narrowPacked.ts';
import { type DenseModel, openDenseModel } from '../structure/denseModel.ts';

// Of the last block only those rows are computed that are asked about: scores are those of all of them.

describe.each(await familyDevices())('%s on %s', (name, on) => {
  test('whole, and with every other component gone', async () => {
    const model = await openDenseModel(name, 1, FAMILIES[name].length, on);
    const { config } = model.checkpoint;
    const rng = new Rng(4);
    const sequences = Array.from({ length: 9 }, (_, i) => {
      const length = Math.min(9 + 5 * i, config.maxPositions, FAMILIES[name].length);
      const ids = Int32Array.from({ length }, () => rng.integer(config.vocabulary));
      return { ids, from: length - 1 - (i % 3) };
    });
    const packed = await packAll(config, model.inputs.device, sequences);
    try {
      const narrowed = narrowPacked(packed, true);
      expect(narrowed.groups.every(({ batches }) => batches.every(({ places }) => places.narrowed))).toBe(true);
      for (const mask of [undefined, halfOf]) {
        const [expected, found] = [await scoresOf(model, packed, mask), await scoresOf(model, narrowed, mask)];
        expect(found.greedy).toEqual(expected.greedy);
        for (const [i, likelihood] of found.logLikelihoods.entries()) {
          expect(Math.abs(likelihood - expected.logLikelihoods[i]!)).toBeLessThan(
            1e-6 * Math.max(1, Math.abs(expected.logLikelihoods[i]!)),
          );
        }
      }
    } finally {
      disposePacked(packed);
      await model.close();
    }
  });
});

/** Keeps every other group and channel. */
function halfOf(layout: BlockLayout): MaskInputs {
  const { kvHeads, intermediate } = layout.shape;
  const every = (count: number): string => packBits(Array.from({ length: count }, (_, i) => i % 2 === 0));
  const mask = { groups: every(kvHeads), channels: every(intermediate) };
  return maskInputs(layout, mask)!;
}

async function scoresOf(
  { inputs, checkpoint }: DenseModel,
  packed: PackedSequences,
  maskOf?: (layout: BlockLayout) => MaskInputs,
): Promise<Scores> {
  const { weights, device } = inputs;
  const step = (): Promise<void> => Promise.resolve();
  const stream = await ScoredStream.open({ checkpoint, device }, packed);
  try {
    for (const [index, layout] of weights.layouts.entries()) {
      const last = index === weights.layouts.length - 1;
      await stream.advance(layout, await weights.block(index), step, '', { mask: maskOf?.(layout), last });
    }
    return await stream.finish(await weights.head(), step);
  } finally {
    await stream.dispose();
  }
}

const rowOf = (length: number, asked: readonly number[]): PackedRow => ({
  ids: new Int32Array(length),
  positions: new Int32Array(length),
  before: new Int32Array(length),
  used: length,
  fed: [],
  longest: length,
  asked: asked.map((at, index) => ({ sequence: 0, index, at })),
});

test.each([
  ['all of a row in order, once each', [rowOf(16, [3, 1, 3])], 8, [1, 3]],
  ['rows of a batch one after the other', [rowOf(8, [7]), rowOf(8, [0, 2])], 8, [7, 8, 10, 7]],
  ['up to three quarters', [rowOf(16, [...Array(12).keys()])], 8, [...Array(12).keys()]],
  ['not beyond', [rowOf(16, [...Array(13).keys()])], 8, undefined],
  ['not for few batches', [rowOf(16, [1])], 7, undefined],
])('%s', (_, rows, batches, expected) => {
  const found = narrowedRows(rows, batches);
  expect(found && [...found]).toEqual(expected);
});
