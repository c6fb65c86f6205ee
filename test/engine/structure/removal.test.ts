import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelMask } from '../../../src/experiment/structureSchema.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { ModelTensors } from '../../../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights } from '../../../src/engine/forward/blockWeights.ts';
import { embed } from '../../../src/engine/forward/embed.ts';
import { finalLogits } from '../../../src/engine/forward/logits.ts';
import { type BlockFill, maskInputs } from '../../../src/engine/forward/maskInputs.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { collectGradients } from '../../../src/engine/gradient/collectGradients.ts';
import { componentsOf } from '../../../src/engine/models/components.ts';
import { couplings } from '../../../src/engine/families/family.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { type DenseModel, openDenseModel } from './denseModel.ts';
import { removedTensors } from './removedTensors.ts';

// What a mask and fills compute is what the smaller model computes, and its gradients are those of what is left.

const LENGTH = 12;
const FAMILY_NAMES: readonly FamilyName[] = [
  ...(['llama biases', 'mistral', 'qwen3', 'opt-350m', 'gpt-neox'] as const),
  ...(['phi-4', 'gpt-2, scaled by block', 'bloom, added to the norms', 'falcon 40b', 'falcon rw'] as const),
];
const noStep = (): Promise<void> => Promise.resolve();

/** Blocks of every kind: some of both gone, no heads, no channels. */
const UNEVEN = [
  { groups: (i: number) => i % 2, channels: (i: number) => Number(i % 3 > 0) },
  { groups: () => 0, channels: (i: number) => Number(i > 5) },
  { groups: () => 1, channels: () => 0 },
];

describe.each(FAMILY_NAMES)('%s', (name) => {
  let model: DenseModel;
  beforeAll(async () => {
    model = await openDenseModel(name, 2, LENGTH);
  });
  afterAll(() => model.close());

  test.each([
    { what: 'blocks of different sizes', dropped: [], compensated: false },
    { what: 'blocks of different sizes, and one gone', dropped: [1], compensated: false },
    { what: 'with compensation', dropped: [0], compensated: true },
  ])('$what: the logits of the mask', async ({ dropped, compensated }) => {
    const mask = maskOf(model, dropped);
    const fills = compensated ? fillsOf(model) : undefined;
    const masked = await logits(model, model.checkpoint, mask, fills);
    const removed = removedTensors(model.checkpoint, FAMILIES[name].config, mask, fills);
    expect(removed.config.depth).toBe(3 - dropped.length);
    expect(largestDifference(await logits(model, removed), masked)).toBeLessThan(1e-4);
    expect(largestDifference(await logits(model, model.checkpoint), masked)).toBeGreaterThan(1e-2);
  });

  test('a mask that keeps all changes nothing, to the last bit', async () => {
    const all = model.inputs.weights.layouts.map(({ shape }) => ({
      groups: packBits(new Uint8Array(shape.kvHeads).fill(1)),
      channels: packBits(new Uint8Array(shape.intermediate).fill(1)),
    }));
    expect(await logits(model, model.checkpoint, all)).toEqual(await logits(model, model.checkpoint));
  });

  test('gradients of what is left are those of the model in which nothing reads the rest', async () => {
    const mask = maskOf(model, []);
    const { config } = FAMILIES[name];
    const left = await gradients(model, removedTensors(model.checkpoint, config, mask));
    const all = await gradients(model, withoutReaders(model));
    expect([...left.values()].reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(0);
    const kept = removedTensors(model.checkpoint, config, mask, undefined, ({ tensor }) => all.get(tensor)!);
    for (const [tensor, gradient] of left) {
      expect(largestDifference(gradient, kept.values(tensor)), tensor).toBeLessThan(1e-3);
    }
  });
});

function maskOf({ checkpoint: { config } }: DenseModel, dropped: readonly number[]): ModelMask {
  return UNEVEN.map(({ groups, channels }, index) => {
    const { groups: groupCount, channels: channelCount } = componentsOf(config, index);
    return {
      groups: packBits(Array.from({ length: groupCount }, (_, i) => groups(i))),
      channels: packBits(Array.from({ length: channelCount }, (_, i) => channels(i))),
      ...(dropped.includes(index) && { dropped: true as const }),
    };
  });
}

function fillsOf({ checkpoint: { config } }: DenseModel): BlockFill[] {
  const values = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1));
  return UNEVEN.map(() => ({
    attention: values(config.heads * config.headDim),
    channels: values(config.intermediate),
  }));
}

/** Logits of the last tokens of the first sample. */
async function logits(
  { inputs: { device, samples } }: DenseModel,
  tensors: ModelTensors,
  mask?: ModelMask,
  fills?: readonly BlockFill[],
): Promise<Float32Array> {
  const weights = new BlockWeights(tensors, device, true);
  const programs = await ModelPrograms.create(tensors.config, device, LENGTH);
  const stream = await embed({ checkpoint: tensors, device, programs }, samples);
  for (const [index, layout] of weights.layouts.entries()) {
    const inputs = mask && maskInputs(layout, mask[index]!, fills?.[index]);
    if (mask && !inputs) continue;
    await stream.advance(layout, await weights.block(index), noStep, '', { mask: inputs });
  }
  const found = await finalLogits(tensors.config, device, stream.batches[0]!, await weights.head(), 4);
  weights.dispose();
  return found.slice();
}

/** The operand G of every linear layer, by its tensor's name. */
async function gradients(
  { inputs: { device, samples } }: DenseModel,
  tensors: ModelTensors,
): Promise<Map<string, Float32Array>> {
  const weights = new BlockWeights(tensors, device, true);
  const found = new Map<string, Float32Array>();
  const inputs = { checkpoint: tensors, device, weights, samples };
  await collectGradients(
    inputs,
    (block, layers) => {
      for (const { name, tensor } of weights.layouts[block]!.parameters) {
        if (layers.has(name)) found.set(tensor, layers.get(name)!.slice());
      }
      return Promise.resolve();
    },
    noStep,
  );
  return found;
}

/** The dense model with zeros in the columns that read what the mask removes. */
function withoutReaders({ checkpoint, inputs }: DenseModel): ModelTensors {
  /** Of a stored reader: whether the element at `at` is in a column that stays. */
  const kept = new Map<string, (at: number) => boolean>();
  for (const [index, layout] of inputs.weights.layouts.entries()) {
    for (const { tensor, shape, parts, transposed } of couplings(layout)) {
      const { axis, of } = parts;
      if (axis === 0) continue;
      const count = of === 'groups' ? layout.shape.kvHeads : layout.shape.intermediate;
      const part = shape[1]! / count;
      const columnOf = (at: number): number => (transposed ? Math.floor(at / shape[0]!) : at % shape[1]!);
      kept.set(tensor, (at) => UNEVEN[index]![of](Math.floor(columnOf(at) / part)) === 1);
    }
  }
  return {
    ...checkpoint,
    read(name, shape, into) {
      const values = checkpoint.read(name, shape, into);
      const stays = kept.get(name);
      return stays ? values.map((value, i) => (stays(i) ? value : 0)) : values;
    },
  };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
