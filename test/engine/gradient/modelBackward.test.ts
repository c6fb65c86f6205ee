import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Checkpoint, openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights } from '../../../src/engine/forward/blockWeights.ts';
import { embed } from '../../../src/engine/forward/embed.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { GradientPrograms } from '../../../src/engine/gradient/gradientPrograms.ts';
import { countBackwardSteps, modelBackward } from '../../../src/engine/gradient/modelBackward.ts';
import { TensorPool } from '../../../src/engine/gradient/tensorPool.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { Rng } from '../../../src/base/rng.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { generateCheckpoint } from '../../support/generate/generateCheckpoint.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [DEPTH, TOKENS, SAMPLES] = [7, 12, 3];
const INPUT_BYTES = 4 * 32 * TOKENS * SAMPLES;

let folder: string;
let checkpoint: Checkpoint;
const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-backward-'));
  const family = FAMILIES['llama-1'];
  await generateCheckpoint(folder, { ...family, config: { ...family.config, num_hidden_layers: DEPTH } });
  checkpoint = await openCheckpoint(folder);
});
afterAll(async () => {
  checkpoint.close();
  await device.dispose();
  await rm(folder, { recursive: true });
});

interface Way {
  /** Block inputs that have room. */
  readonly inputs: number;
  /** Whether weights are read at every visit. */
  readonly keep: boolean;
}

const WAYS: readonly Way[] = [0, 1, 2, 3, 5, 6, 100].flatMap((inputs) => [
  { inputs, keep: true },
  { inputs, keep: false },
]);

test.each(WAYS)('with room for $inputs block inputs, weights kept: $keep, the gradients are the same', async (way) => {
  const [all, some] = [await squares({ inputs: 100, keep: true }), await squares(way)];
  expect(some.gradients).toEqual(all.gradients);
  expect(some.blocks).toEqual([6, 5, 4, 3, 2, 1, 0]);
  expect(some.losses).toEqual(all.losses);
  expect(some.steps).toBe(countBackwardSteps(DEPTH, INPUT_BYTES, way.inputs * INPUT_BYTES));
  // All kept: each block forwards once and backwards once, and the head.
  expect(all.steps).toBe(2 * DEPTH + 1);
});

async function squares({ inputs, keep }: Way) {
  const { config } = checkpoint;
  const weights = new BlockWeights(checkpoint, device, keep);
  const programs = await ModelPrograms.create(config, device, TOKENS);
  const rng = new Rng(4);
  const sequences = Array.from({ length: SAMPLES }, () => Int32Array.from({ length: TOKENS }, () => rng.integer(300)));
  const stream = await embed({ checkpoint, device, programs }, sequences);
  const blocks: number[] = [];
  const gradients: number[] = [];
  let steps = 0;
  const losses = await modelBackward(
    {
      config,
      device,
      programs,
      gradients: new GradientPrograms(config, device, TOKENS),
      weights,
      pool: new TensorPool(device),
    },
    stream.batches,
    {
      sum: 'squares',
      rowWeight: 1 / (TOKENS - 1),
      parameters: ({ parameters }) => parameters.filter(({ linear }) => linear).map(({ name }) => name),
      headParameters: [],
      losses: true,
      room: inputs * INPUT_BYTES,
      onBlock(index, found) {
        blocks.push(index);
        for (const tensor of Object.values(found))
          gradients.push(tensor.floats().reduce((sum, value) => sum + value, 0));
        return Promise.resolve();
      },
    },
    () => {
      steps++;
      return Promise.resolve();
    },
  );
  return { blocks, gradients, losses, steps };
}
