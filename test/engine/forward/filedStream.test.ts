import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embed, type ForwardInputs } from '../../../src/engine/forward/embed.ts';
import { FiledStream } from '../../../src/engine/forward/filedStream.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { scratchPlace, type StateStream } from '../../../src/engine/forward/stateStream.ts';
import { type DenseModel, openDenseModel } from '../structure/denseModel.ts';

// Hidden states in a file are those in memory, part by part, and nothing of them is left.

const [LENGTH, BATCH] = [16, 3];
let model: DenseModel;
let inputs: ForwardInputs;
let folder: string;
beforeAll(async () => {
  model = await openDenseModel('llama-2 grouped queries', 8, LENGTH);
  const { checkpoint, device } = model.inputs;
  inputs = { checkpoint, device, programs: await ModelPrograms.create(checkpoint.config, device, LENGTH, BATCH) };
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-filed-'));
});
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

const noStep = () => Promise.resolve();

async function throughBlocks(stream: StateStream): Promise<{ values: number[][]; parts: number }> {
  const { weights } = model.inputs;
  for (const [index, layout] of weights.layouts.entries()) {
    await stream.advance(layout, await weights.block(index), noStep, '');
  }
  const values: number[][] = [];
  let parts = 0;
  await stream.each(({ batches }) => {
    parts++;
    for (const { x } of batches) values.push([...x.floats()]);
    return Promise.resolve();
  });
  return { values, parts };
}

test.each([
  ['all at once', undefined, 1],
  ['two batches at a time', 2 * 4 * BATCH * LENGTH * 32, 2],
  ['a batch at a time', 1, 3],
])('states after the last block are those of a stream in memory, to the last bit: %s', async (_, partBytes, parts) => {
  expect(inputs.checkpoint.config.hidden).toBe(32);
  const held = await embed(inputs, model.inputs.samples);
  const filed = await FiledStream.open(inputs, model.inputs.samples, folder, [], partBytes);
  expect([filed.steps, held.steps]).toEqual([3, 3]);
  const found = await throughBlocks(filed);
  expect(found).toEqual({ ...(await throughBlocks(held)), parts });
  await filed.dispose();
});

test('what is only looked at is as it was, and states are lent for no longer than that', async () => {
  const filed = await FiledStream.open(inputs, model.inputs.samples, folder, []);
  const seen: Float32Array[] = [];
  const look = () =>
    filed.each(({ batches: [first] }) => {
      seen.push(first!.x.floats().slice());
      seen.push(first!.x.floats());
      return Promise.resolve();
    });
  await look();
  await look();
  expect(seen[2]).toEqual(seen[0]);
  expect(seen[1]!.length).toBe(0);
  await filed.dispose();
});

const open = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${descriptor}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return [];
    }
  });

test.skipIf(process.platform !== 'linux')(
  'the file has no name while it is open, and goes with the process',
  async () => {
    const filed = await FiledStream.open(inputs, model.inputs.samples, folder, []);
    expect(await readdir(folder)).toEqual([]);
    expect(open()).toEqual([expect.stringMatching(/states \(deleted\)$/)]);
    await filed.dispose();
    expect(open()).toEqual([]);
  },
);

test('a fifth of the memory holds the states of one model', () => {
  expect(scratchPlace(200, folder, 1000)).toBeUndefined();
  expect(scratchPlace(201, folder, 1000)).toBe(folder);
  expect(scratchPlace(201, undefined, 1000)).toBe(tmpdir());
});
