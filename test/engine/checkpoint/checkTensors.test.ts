import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkTensors } from '../../../src/engine/checkpoint/checkTensors.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { writeSafetensors } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { allParameters, type ModelConfig } from '../../../src/engine/families/families.ts';
import { storedShape } from '../../../src/engine/families/family.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { TINY_FALCON, TINY_GPT2, TINY_GPT_NEOX, TINY_LLAMA } from './tinyConfigs.ts';
import type { TensorToWrite } from '../../../src/engine/checkpoint/safetensorsWriter.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-tensors-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const zeros = (shape: readonly number[]): TensorToWrite => ({
  dtype: 'BF16',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** Writes the tensors of a configuration, changed, and checks them against `config`. */
async function check(
  config: object,
  change: (tensors: Map<string, TensorToWrite>) => unknown,
  base: object = TINY_LLAMA,
): Promise<ModelConfig> {
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(base));
  replaceFile(path.join(folder, 'model.safetensors'), encodeEmpty());
  const whole = await openCheckpoint(folder);
  const tensors = new Map(
    allParameters(whole.config).map((parameter) => [parameter.tensor, zeros(storedShape(parameter))]),
  );
  change(tensors);
  rmSync(path.join(folder, 'model.safetensors'));
  await writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
  replaceFile(path.join(folder, 'config.json'), JSON.stringify({ ...base, ...config }));
  const checkpoint = await openCheckpoint(folder);
  try {
    checkTensors(checkpoint, allParameters(checkpoint.config));
    return checkpoint.config;
  } finally {
    checkpoint.close();
  }
}

function encodeEmpty(): Uint8Array {
  return Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d);
}

describe('config.json and weights', () => {
  it.each<[what: string, config: object, change: (tensors: Map<string, TensorToWrite>) => unknown]>([
    ['as they are', {}, () => undefined],
    ['with buffers of old versions', {}, (all) => all.set('model.layers.0.self_attn.rotary_emb.inv_freq', zeros([4]))],
    ['tied, without a head', { tie_word_embeddings: true }, (all) => all.delete('lm_head.weight')],
    ['tied, with the same head', { tie_word_embeddings: true }, () => undefined],
  ])('belong together %s', async (_, config, change) => {
    await check(config, change);
  });

  it('belong together with the buffers of old GPT-NeoX checkpoints', async () => {
    await check(
      {},
      (all) => {
        const attention = 'gpt_neox.layers.0.attention';
        all.set(`${attention}.bias`, zeros([1, 1, 8, 8]));
        all.set(`${attention}.masked_bias`, zeros([]));
        all.set(`${attention}.rotary_emb.inv_freq`, zeros([2]));
      },
      TINY_GPT_NEOX,
    );
  });

  it.each<[what: string, base: object, buffers: readonly (readonly [string, readonly number[]])[]]>([
    [
      'GPT-2',
      TINY_GPT2,
      [
        ['transformer.h.0.attn.bias', [1, 1, 8, 8]],
        ['transformer.h.0.attn.masked_bias', []],
      ],
    ],
    ['Falcon', TINY_FALCON, [['transformer.h.0.self_attention.maybe_rotary.inv_freq', [8]]]],
  ])('belong together with the buffers of %s', async (_, base, buffers) => {
    const add = (all: Map<string, TensorToWrite>): void => {
      for (const [name, shape] of buffers) all.set(name, zeros(shape));
    };
    await check({}, add, base);
  });

  it('of GPT-2 do not belong together where a matrix is stored as other families have it', async () => {
    const failure = await failureOf(() =>
      check({}, (all) => all.set('transformer.h.1.mlp.c_fc.weight', zeros([256, 64])), TINY_GPT2),
    );
    expect(failure.code).toBe('checkpoint/tensor');
    expect(failure.message).toMatch(/c_fc\.weight of shape \[64, 256\].*shape \[256, 64\]/);
  });

  it('of GPT-2 with fewer heads and channels, as other programs leave them, are read in their sizes', async () => {
    const { blocks } = await check(
      {},
      (all) => {
        const block = 'transformer.h.1';
        all.set(`${block}.attn.c_attn.weight`, zeros([64, 96])).set(`${block}.attn.c_attn.bias`, zeros([96]));
        all.set(`${block}.attn.c_proj.weight`, zeros([32, 64]));
        all.set(`${block}.mlp.c_fc.weight`, zeros([64, 100])).set(`${block}.mlp.c_fc.bias`, zeros([100]));
        all.set(`${block}.mlp.c_proj.weight`, zeros([100, 64]));
      },
      TINY_GPT2,
    );
    expect(blocks?.[1]).toEqual({ heads: 2, kvHeads: 2, intermediate: 100 });
  });

  it('of GPT-NeoX do not belong together, and what is fused in the family is not held against it', async () => {
    const failure = await failureOf(() =>
      check({}, (all) => all.delete('gpt_neox.layers.1.mlp.dense_h_to_4h.bias'), TINY_GPT_NEOX),
    );
    expect(failure.code).toBe('checkpoint/tensor');
    expect(failure.message).toMatch(/gpt_neox\.layers\.1\.mlp\.dense_h_to_4h\.bias/);
    expect(failure.message).not.toMatch(/fused/);
  });

  const bias = 'model.layers.1.self_attn.q_proj.bias';
  it.each<[what: string, config: object, change: (tensors: Map<string, TensorToWrite>) => unknown, says: RegExp]>([
    [
      'a tensor that is missing',
      {},
      (all) => all.delete('model.norm.weight'),
      /model\.norm\.weight of shape \[64\].*no tensor/,
    ],
    ['a tensor of another shape', {}, (all) => all.set('model.norm.weight', zeros([63])), /\[64\].*shape \[63\]/],
    [
      'a bias that config.json does not have',
      {},
      (all) => all.set(bias, zeros([64])),
      /no model\.layers\.1\.self_attn\.q_proj\.bias/,
    ],
    ['biases that the weights do not have', { attention_bias: true }, () => undefined, /bias of shape.*no tensor/],
    ['a block that config.json does not have', { num_hidden_layers: 2 }, () => undefined, /no model\.layers\.2\./],
    [
      'a block that the weights do not have',
      { num_hidden_layers: 4 },
      () => undefined,
      /model\.layers\.3\..*no tensor/,
    ],
    [
      'another head where they are tied',
      { tie_word_embeddings: true },
      (all) => all.get('lm_head.weight')!.data.fill(1, 6399),
      /another matrix/,
    ],
    [
      'a larger head where they are tied',
      { tie_word_embeddings: true },
      (all) => all.set('lm_head.weight', zeros([101, 64])),
      /another matrix/,
    ],
  ])('do not with %s', async (_, config, change, says) => {
    const failure = await failureOf(() => check(config, change));
    expect(failure.code).toBe('checkpoint/tensor');
    expect(failure.data.file).toContain(folder);
    expect(failure.message).toMatch(says);
  });
});
