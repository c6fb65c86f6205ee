import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { disposePacked, packAll, type PackedSequences } from '../../../src/engine/scoring/packedSequences.ts';
import { scorePacked } from '../../../src/engine/scoring/scoreSequences.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { narrowPacked } from '../../support/narrowPacked.ts';
import { openDenseModel, type DenseModel } from '../structure/denseModel.ts';

// Hidden states in a file are those in memory: the same numbers to the last bit, and nothing of them is left.

const NAME = 'llama-2 grouped queries';
let model: DenseModel;
let packed: PackedSequences;
let folder: string;
beforeAll(async () => {
  model = await openDenseModel(NAME, 2, FAMILIES[NAME].length);
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-scratch-'));
  const { config } = model.checkpoint;
  const rng = new Rng(3);
  const sequences = Array.from({ length: 40 }, (_, i) => {
    const ids = Int32Array.from({ length: 20 + 7 * (i % 30) }, () => Math.floor(rng.uniform() * config.vocabulary));
    return { ids: ids.subarray(0, config.maxPositions), from: 1 + (i % 5) };
  });
  packed = await packAll(config, model.inputs.device, sequences);
});
afterAll(async () => {
  disposePacked(packed);
  await model.close();
  await rm(folder, { recursive: true });
});

const scores = (of: PackedSequences, step = () => Promise.resolve()) =>
  scorePacked({ ...model.inputs, checkpoint: model.checkpoint }, of, step);

test.each([false, true])(
  'scores are equal bit by bit, and the file goes (last block narrowed: %s)',
  async (isNarrowed) => {
    expect(packed.scratchFolder).toBeUndefined();
    const held = narrowPacked(packed, isNarrowed);
    expect(await scores({ ...held, scratchFolder: folder })).toEqual(await scores(held));
    expect(await readdir(folder)).toEqual([]);
  },
);

test('a run that is cancelled leaves no file', async () => {
  const cancelled = new Error('cancelled');
  await expect(scores({ ...packed, scratchFolder: folder }, () => Promise.reject(cancelled))).rejects.toBe(cancelled);
  expect(await readdir(folder)).toEqual([]);
});

test('a folder that cannot be is an error that names it', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const { data } = await failureOf(() => scores({ ...packed, scratchFolder: path.join(file, 'scratch') }));
  expect(data.code).toBe('io/write');
  expect(data.operation).toContain(file);
});
