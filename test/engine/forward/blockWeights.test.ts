import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Checkpoint, openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights, type Keep } from '../../../src/engine/forward/blockWeights.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
let family: TemporaryFamily;
let checkpoint: Checkpoint;
beforeAll(async () => {
  family = await temporaryFamily('llama-1');
  checkpoint = await openCheckpoint(family.folder);
});
afterAll(async () => {
  checkpoint.close();
  await device.dispose();
  await family.remove();
});

/** Blocks 0 and 1 three times: which visits have read them, and whether block 0's array still holds block 0 when block 1 is there. */
async function visits(keep: Keep): Promise<{ reads: number[]; stays: boolean[] }> {
  let count = 0;
  const counting: Pick<Checkpoint, 'config' | 'read' | 'readRows'> = {
    config: checkpoint.config,
    read: (...parameters) => {
      count++;
      return checkpoint.read(...parameters);
    },
    readRows: (...parameters) => checkpoint.readRows(...parameters),
  };
  const weights = new BlockWeights(counting, device, keep);
  const { name, tensor, shape } = weights.layouts[0]!.parameters.find(({ linear }) => linear)!;
  const expected = checkpoint.read(tensor, shape);
  const [reads, stays]: [number[], boolean[]] = [[], []];
  for (let visit = 0; visit < 3; visit++) {
    count = 0;
    const first = await weights.block(0);
    expect(first[name]!.floats()).toEqual(expected);
    weights.done(first);
    weights.done(await weights.block(1));
    reads.push(Math.sign(count));
    stays.push(first[name]!.floats().every((value, i) => value === expected[i]));
  }
  weights.dispose();
  return { reads, stays };
}

test.each<[Keep, number[], boolean[]]>([
  [true, [1, 0, 0], [true, true, true]],
  ['again', [1, 1, 0], [false, true, true]],
  [false, [1, 1, 1], [false, false, false]],
])('blocks are kept: %s', async (keep, reads, stays) => {
  expect(await visits(keep)).toEqual({ reads, stays });
});
