import { afterAll, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import type { GradientSum } from '../../../src/engine/gradient/blockGradientGraph.ts';
import { GradientPrograms } from '../../../src/engine/gradient/gradientPrograms.ts';
import { gradientStrips } from '../../../src/engine/gradient/gradientStrips.ts';
import { modelBackward } from '../../../src/engine/gradient/modelBackward.ts';
import { TensorPool } from '../../../src/engine/gradient/tensorPool.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { parametersInMemory, statesInMemory } from '../../support/generate/parametersInMemory.ts';

/** Wide enough for several strips of up and gate, of unequal size. */
const CONFIG = parseConfig(
  {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_size: 16, intermediate_size: 1099 },
    ...{ num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, vocab_size: 50, rms_norm_eps: 1e-5 },
    ...{ max_position_embeddings: 64, rope_theta: 10_000, hidden_act: 'silu', tie_word_embeddings: false },
  },
  'config.json',
);
const TOKENS = 12;
const BATCHES = [3, 3, 1];

const devices = [1, 3].map((threads) => new Device({ name: 'cpu', precision: 'float32', threads }));
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

type Found = ReadonlyMap<string, Float32Array>;

/** Gradients of all linear layers and norms over sequences in batches of these sizes, the first of which is sequence `first`. */
async function gradientsOf(sum: GradientSum, batches: readonly number[], first = 0, device = devices[0]!) {
  const programs = await ModelPrograms.create(CONFIG, device, TOKENS);
  let next = first;
  const sequences = batches.map((batch) => {
    const own = Array.from({ length: batch }, () => sequence(next++));
    return {
      batch,
      ids: own.map(({ ids }) => ids),
      x: DeviceTensor.fromHost(joined(own.map(({ x }) => x)), [batch * TOKENS, CONFIG.hidden]),
    };
  });
  const found = new Map<string, Float32Array>();
  await modelBackward(
    {
      ...{ config: CONFIG, device, programs, weights: parametersInMemory(CONFIG, device, 7) },
      ...{ gradients: new GradientPrograms(CONFIG, device, TOKENS), pool: new TensorPool(device) },
    },
    sequences,
    {
      ...{ sum, rowWeight: 1 / (TOKENS - 1), losses: false, room: Infinity },
      parameters: ({ parameters }) =>
        parameters.filter(({ linear }) => linear || sum === 'sum').map(({ name }) => name),
      headParameters: sum === 'sum' ? ['norm', 'head'] : [],
      onHead: (gradients) => keep(found, 'head', gradients),
      onBlock: (index, gradients) => keep(found, String(index), gradients),
    },
    () => Promise.resolve(),
  );
  return found;
}

function keep(
  found: Map<string, Float32Array>,
  place: string,
  gradients: Readonly<Record<string, DeviceTensor>>,
): Promise<void> {
  for (const [name, gradient] of Object.entries(gradients)) found.set(`${place} ${name}`, gradient.floats().slice());
  return Promise.resolve();
}

function sequence(index: number): { readonly ids: Int32Array; readonly x: Float32Array } {
  const rng = new Rng(100 + index);
  const ids = Int32Array.from({ length: TOKENS }, () => rng.integer(CONFIG.vocabulary));
  return { ids, x: statesInMemory(TOKENS, CONFIG.hidden, index).floats() };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** ‖a − b‖ / ‖b‖ of the layer where it is largest. */
function distance(a: Found, b: Found): number {
  expect([...a.keys()]).toEqual([...b.keys()]);
  const distances = [...b].map(([name, values]) => {
    const norm = (of: (value: number, index: number) => number): number => Math.hypot(...values.map(of));
    return norm((value, i) => a.get(name)![i]! - value) / norm((value) => value);
  });
  return Math.max(...distances);
}

test.each(['sum', 'squares'] as const)('%s over three batches is that of the samples one by one', async (sum) => {
  const together = await gradientsOf(sum, BATCHES);
  const alone: Found[] = [];
  for (let i = 0; i < 7; i++) alone.push(await gradientsOf('sum', [1], i));
  const expected = new Map(
    [...together].map(([name, { length }]) => {
      const of = (i: number): number =>
        alone.reduce((total, one) => total + one.get(name)![i]! ** (sum === 'sum' ? 1 : 2), 0);
      return [name, Float32Array.from({ length }, (_, i) => of(i))] as const;
    }),
  );
  expect(distance(together, expected)).toBeLessThan(2e-6);
});

test.each(['sum', 'squares'] as const)('%s has the same bits with three threads', async (sum) => {
  expect(await gradientsOf(sum, BATCHES, 0, devices[1])).toEqual(await gradientsOf(sum, BATCHES));
});

test.each([
  { shape: [1099, 16], most: 512, expected: ['w:0 0–366', 'w:1 366–732', 'w:2 732–1099'] },
  { shape: [512, 16], most: 512, expected: ['w 0–512'] },
  { shape: [1099, 16], most: Infinity, expected: ['w 0–1099'] },
  { shape: [4096], most: 512, expected: ['w 0–4096'] },
])('strips of $shape with $most rows at most', ({ shape, most, expected }) => {
  expect(gradientStrips({ name: 'w', shape }, most).map(({ name, begin, end }) => `${name} ${begin}–${end}`)).toEqual(
    expected,
  );
});
