import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { failureOf } from '../../support/expectCoded.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { raw32, type RawTensor, type RawTensors, storedLike, valuesOf } from '../../support/generate/rewriteWeights.ts';
import { ModelVariants } from '../../support/modelVariants.ts';

// A weight that a folder keeps as several tensors is the model whose weights were made one by plain loops.

let models: ModelVariants;
beforeAll(async () => {
  models = await ModelVariants.create();
});
afterAll(() => models.remove());

/** Changes the matrices of the blocks' linear layers. */
function eachMatrix(change: (tensors: RawTensors, name: string, tensor: RawTensor, rng: Rng) => void) {
  return (tensors: RawTensors): void => {
    const rng = new Rng(7);
    for (const [name, tensor] of [...tensors]) {
      if (/(proj|fc[12]|dense\w*|query_key_value)\.weight$/.test(name)) change(tensors, name, tensor, rng);
    }
  };
}

describe('weight_orig and weight_mask of torch.nn.utils.prune', () => {
  const keeps = (tensor: RawTensor, rng: Rng): number[] =>
    Array.from(valuesOf(tensor), () => (rng.uniform() < 0.4 ? 0 : 1));

  it.each<[FamilyName, prefix: string]>([
    ['llama-3.1', ''],
    ['qwen2', 'module.'],
    ['opt', ''],
    ['gpt-neox, in sequence', '_orig_mod.'],
  ])('of %s are their product, under the prefix "%s"', async (name, prefix) => {
    const plain = await models.variant(
      name,
      eachMatrix((tensors, of, tensor, rng) => {
        const mask = keeps(tensor, rng);
        tensors.set(
          of,
          storedLike(
            tensor,
            Array.from(valuesOf(tensor), (value, i) => value * mask[i]!),
          ),
        );
      }),
    );
    const made = await models.variant(name, (tensors) => {
      eachMatrix((all, of, tensor, rng) => {
        all.delete(of);
        all.set(`${of}_orig`, tensor);
        all.set(`${of}_mask`, storedLike(tensor, keeps(tensor, rng)));
      })(tensors);
      for (const [each, tensor] of [...tensors]) {
        tensors.delete(each);
        tensors.set(`${prefix}${each}`, tensor);
      }
    });
    await models.expectSameModel(name, made, plain);
    expect((await models.notesOf(made)).join()).toMatch(/^\d+ tensors times their masks$/);
  });

  it('with masks of other types, and of biases', async () => {
    const change = (mask: (values: number[]) => RawTensor) => (tensors: RawTensors) => {
      const name = 'model.layers.1.self_attn.q_proj.bias';
      const tensor = tensors.get(name)!;
      tensors.delete(name);
      tensors.set(`${name}_orig`, tensor);
      tensors.set(`${name}_mask`, mask(Array.from(valuesOf(tensor), (_, i) => i % 2)));
    };
    const bytes = (dtype: 'BOOL' | 'U8' | 'I8') => (values: number[]) => ({
      ...{ dtype, shape: [values.length], bytes: Uint8Array.from(values) },
    });
    const plain = await models.variant('llama biases', (tensors) => {
      const name = 'model.layers.1.self_attn.q_proj.bias';
      const tensor = tensors.get(name)!;
      tensors.set(
        name,
        storedLike(
          tensor,
          Array.from(valuesOf(tensor), (value, i) => value * (i % 2)),
        ),
      );
    });
    for (const dtype of ['BOOL', 'U8', 'I8'] as const) {
      await models.expectSameModel('llama biases', await models.variant('llama biases', change(bytes(dtype))), plain);
    }
  });

  it.each<[what: string, change: (tensors: RawTensors, name: string) => void, says: RegExp]>([
    ['a mask alone', (tensors, name) => tensors.delete(`${name}_orig`), /torch\.nn\.utils\.prune.*prune\.remove/],
    ['a weight without its mask', (tensors, name) => tensors.delete(`${name}_mask`), /torch\.nn\.utils\.prune/],
    [
      'a mask of another shape',
      (tensors, name) => tensors.set(`${name}_mask`, raw32([2], [0, 1])),
      /torch\.nn\.utils\.prune/,
    ],
    [
      'both and the weight as well',
      (tensors, name) => tensors.set(name, tensors.get(`${name}_orig`)!),
      /torch\.nn\.utils\.prune/,
    ],
    [
      'a mask that is none',
      (tensors, name) => {
        const { shape } = tensors.get(`${name}_mask`)!;
        tensors.set(`${name}_mask`, raw32(shape, new Array<number>(shape[0]! * shape[1]!).fill(0.5)));
      },
      /zeros and ones, got 0\.5/,
    ],
  ])('refused: %s', async (_, change, says) => {
    const name = 'model.layers.0.mlp.up_proj.weight';
    const folder = await models.variant('llama-1', (tensors) => {
      const tensor = tensors.get(name)!;
      tensors.delete(name);
      tensors.set(`${name}_orig`, tensor);
      tensors.set(`${name}_mask`, raw32(tensor.shape, valuesOf(tensor).fill(1)));
      change(tensors, name);
    });
    const failure = await failureOf(() => models.numbersOf('llama-1', folder));
    expect([failure.code, failure.message]).toEqual(['checkpoint/tensor', expect.stringMatching(says)]);
  });
});

/** Bits of E4M3 by plain steps: of the 255 that are numbers the nearest one. */
const E4M3 = Array.from({ length: 256 }, (_, bits) => {
  const [exponent, fraction] = [(bits >> 3) & 15, bits & 7];
  const size = exponent === 0 ? (fraction / 8) * 2 ** -6 : (1 + fraction / 8) * 2 ** (exponent - 7);
  return (bits & 0x7f) === 0x7f ? NaN : bits & 0x80 ? -size : size;
});

function nearest(value: number): number {
  let best = 0;
  for (const [bits, held] of E4M3.entries()) if (Math.abs(held - value) < Math.abs(E4M3[best]! - value)) best = bits;
  return best;
}

describe('weights in 8 bits with scales', () => {
  type Layout = 'tensor' | 'row' | 'block' | 'stretch';
  const blocks: Readonly<Record<Layout, (shape: readonly number[]) => readonly [number, number]>> = {
    tensor: ([rows, columns]) => [rows!, columns!],
    row: ([, columns]) => [1, columns!],
    // Does not divide the sizes of the test's matrices.
    block: () => [12, 20],
    stretch: () => [1, 8],
  };
  const quantise = (layout: Layout, tensor: RawTensor, rng: Rng, bits: 'F8_E4M3' | 'I8') => {
    const [rows, columns] = tensor.shape as [number, number];
    const [high, wide] = blocks[layout](tensor.shape);
    const [down, across] = [Math.ceil(rows / high), Math.ceil(columns / wide)];
    const scales = Float32Array.from({ length: down * across }, () => 0.002 + 0.01 * rng.uniform());
    const values = valuesOf(tensor);
    const at = (i: number): number =>
      scales[Math.floor(Math.floor(i / columns) / high) * across + Math.floor((i % columns) / wide)]!;
    const packed = Uint8Array.from(values, (value, i) =>
      bits === 'I8' ? Math.max(-127, Math.min(127, Math.round(value / at(i)))) : nearest(value / at(i)),
    );
    const widened = Array.from(packed, (byte, i) => (bits === 'I8' ? (byte << 24) >> 24 : E4M3[byte]!) * at(i));
    return { packed: { dtype: bits, shape: tensor.shape, bytes: packed }, scales, shape: [down, across], widened };
  };

  it.each<[what: string, FamilyName, Layout, scale: string, bits: 'F8_E4M3' | 'I8', fields: object]>([
    [
      'DeepSeek’s and Qwen’s, block by block',
      'qwen3',
      'block',
      'weight_scale_inv',
      'F8_E4M3',
      { quantization_config: { quant_method: 'fp8', weight_block_size: [12, 20], activation_scheme: 'dynamic' } },
    ],
    [
      'FBGEMM’s, row by row',
      'llama-3.1',
      'row',
      'weight_scale',
      'F8_E4M3',
      { quantization_config: { quant_method: 'fbgemm_fp8', activation_scale_ub: 1200 } },
    ],
    [
      'compressed-tensors’, one scale for a matrix',
      'mistral',
      'tensor',
      'weight_scale',
      'F8_E4M3',
      {
        quantization_config: {
          quant_method: 'compressed-tensors',
          format: 'float-quantized',
          config_groups: { group_0: { weights: { num_bits: 8, type: 'float', symmetric: true, strategy: 'tensor' } } },
        },
      },
    ],
    [
      'compressed-tensors’ whole numbers, row by row',
      'opt',
      'row',
      'weight_scale',
      'I8',
      {
        quantization_config: {
          quant_method: 'compressed-tensors',
          format: 'int-quantized',
          config_groups: { group_0: { weights: { num_bits: 8, type: 'int', symmetric: true, strategy: 'channel' } } },
        },
      },
    ],
    ['without a word in config.json, in stretches of a row', 'llama-1', 'stretch', 'weight_scale', 'F8_E4M3', {}],
  ])('%s', async (_, name, layout, scale, bits, fields) => {
    const plain = await models.variant(
      name,
      eachMatrix((tensors, of, tensor, rng) => {
        tensors.set(of, raw32(tensor.shape, quantise(layout, tensor, rng, bits).widened));
      }),
    );
    const made = await models.variant(
      name,
      eachMatrix((tensors, of, tensor, rng) => {
        const { packed, scales, shape } = quantise(layout, tensor, rng, bits);
        tensors.set(of, packed);
        const layer = of.slice(0, -'weight'.length);
        tensors.set(`${layer}${scale}`, raw32(layout === 'tensor' ? [] : shape, scales));
        tensors.set(`${layer}input_scale`, raw32([1], [0.5]));
      }),
      (config) => ({ ...config, ...fields }),
    );
    await models.expectSameModel(name, made, plain);
    expect((await models.notesOf(made)).join()).toMatch(/^\d+ matrices of 8 bits times their scales$/);
    expect((await models.engine.describe(made)).storedAs).toContain('F32');
  });

  it.each<[what: string, change: (tensors: RawTensors, layer: string) => void, says: RegExp]>([
    ['no scale', (tensors, layer) => tensors.delete(`${layer}.weight_scale`), /F8_E4M3.*Convert/],
    [
      'scales that fit no part of it',
      (tensors, layer) => tensors.set(`${layer}.weight_scale`, raw32([5, 3], new Array<number>(15).fill(1))),
      /8 bits \(FP8/,
    ],
    ['a zero point', (tensors, layer) => tensors.set(`${layer}.weight_zero_point`, raw32([1], [3])), /8 bits \(FP8/],
    ['two scales', (tensors, layer) => tensors.set(`${layer}.weight_scale_inv`, raw32([1], [3])), /8 bits \(FP8/],
  ])('refused: %s', async (_, change, says) => {
    const layer = 'model.layers.0.mlp.up_proj';
    const folder = await models.variant('llama-1', (tensors) => {
      const { shape } = tensors.get(`${layer}.weight`)!;
      tensors.set(`${layer}.weight`, { dtype: 'F8_E4M3', shape, bytes: new Uint8Array(shape[0]! * shape[1]!) });
      tensors.set(`${layer}.weight_scale`, raw32([1], [2]));
      change(tensors, layer);
    });
    const failure = await failureOf(() => models.numbersOf('llama-1', folder));
    expect([failure.code, failure.message]).toEqual(['checkpoint/tensor', expect.stringMatching(says)]);
  });
});

it('a computed tensor is the same read whole, by rows, and as bytes', async () => {
  const name = 'model.layers.0.mlp.up_proj.weight';
  const folder = await models.variant('llama-3.1', (tensors) => {
    const tensor = tensors.get(name)!;
    tensors.delete(name);
    tensors.set(`${name}_orig`, tensor);
    tensors.set(
      `${name}_mask`,
      raw32(
        tensor.shape,
        Array.from(valuesOf(tensor), (_, i) => i % 3 && 1),
      ),
    );
  });
  const checkpoint = await openCheckpoint(folder);
  const shape = checkpoint.tensors.get(name)!.shape as [number, number];
  const whole = checkpoint.read(name, shape);
  const rows = [0, 1, 2].flatMap((part) => [
    ...checkpoint.readRows(name, shape, part * 5, part === 2 ? shape[0] - 10 : 5),
  ]);
  expect(rows).toEqual([...whole]);
  const bytes = new Uint8Array(2 * whole.length);
  for (let at = 0; at < whole.length; at += 7) {
    checkpoint.readBytes(name, shape, at, bytes.subarray(2 * at, 2 * Math.min(at + 7, whole.length)));
  }
  checkpoint.close();
  expect([...valuesOf({ dtype: 'BF16', shape, bytes })]).toEqual([...whole]);
});
