import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { allParameters, familyOf } from '../../../src/engine/families/families.ts';
import { storedShape } from '../../../src/engine/families/family.ts';
import { modelText } from '../../../src/experiment/resultWarnings.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { raw32, type RawTensors, readRaw, valuesOf, writeRaw } from '../../support/generate/rewriteWeights.ts';
import { ModelVariants } from '../../support/modelVariants.ts';

// Folders as people have them: the same model in other layouts.

let models: ModelVariants;
beforeAll(async () => {
  models = await ModelVariants.create();
});
afterAll(() => models.remove());

type Change = Parameters<ModelVariants['variant']>[1];
type Fields = Parameters<ModelVariants['variant']>[2];

async function expectEqual(name: FamilyName, folder: string): Promise<void> {
  const family = await models.familyOf(name);
  expect(await models.numbersOf(name, folder)).toEqual(await models.numbersOf(name, family.folder));
}

const NAMES = Object.keys(FAMILIES) as FamilyName[];

describe('every family under every prefix, tensor by tensor', () => {
  const prefixes = [
    'module.',
    '_orig_mod.',
    'model.language_model.',
    'language_model.model.',
    'language_model.',
    'model.',
  ];
  it.each(NAMES)('%s', async (name) => {
    const family = await models.familyOf(name);
    const plain = await openCheckpoint(family.folder);
    const parameters = allParameters(plain.config);
    const decoder = familyOf(plain.config);
    const { headTensor } = decoder;
    const table = decoder.embedding(plain.config).table.tensor;
    const rename = async (change: (name: string) => string): Promise<void> => {
      const folder = await models.variant(name, (tensors) => {
        for (const [each, tensor] of [...tensors]) {
          tensors.delete(each);
          tensors.set(change(each), tensor);
        }
      });
      const renamed = await openCheckpoint(folder);
      for (const parameter of parameters) {
        const { tensor } = parameter;
        const shape = storedShape(parameter);
        expect(Buffer.compare(bytesOf(renamed.read(tensor, shape)), bytesOf(plain.read(tensor, shape))), tensor).toBe(
          0,
        );
      }
      renamed.close();
    };
    const root = table.split('.')[0]!;
    for (const prefix of prefixes) {
      await rename((each) => `${prefix}${each}`);
      // In the place of the decoder's own prefix, as models of several kinds have it.
      await rename((each) => (each.startsWith(`${root}.`) ? `${prefix}${each.slice(root.length + 1)}` : each));
    }
    if (plain.config.tiedEmbeddings) await rename((each) => (each.endsWith(table) ? headTensor : each));
    plain.close();
  });
});

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** As git names one. */
const COMMIT = 'c0ffee'.padEnd(40, '0');

describe('the folder', () => {
  it('is one above a snapshot of the hub’s cache: the one that main was at', async () => {
    const { folder } = await models.familyOf('llama-1');
    const repository = path.join(models.root, 'models--ada--tiny');
    cpSync(folder, path.join(repository, 'snapshots', COMMIT), { recursive: true });
    mkdirSync(path.join(repository, 'snapshots', 'abc'));
    mkdirSync(path.join(repository, 'refs'));
    writeFileSync(path.join(repository, 'refs', 'main'), `${COMMIT}\n`);
    for (const named of [repository, path.join(repository, 'snapshots')]) {
      await expectEqual('llama-1', named);
      const checkpoint = await openCheckpoint(named);
      checkpoint.close();
      expect(checkpoint.folder).toBe(path.join(repository, 'snapshots', COMMIT));
    }
  });

  it.each(['../../elsewhere', 'abc', '', 'x'.repeat(100)])('and not where refs/main says %j', async (main) => {
    const repository = path.join(models.root, `models--ada--${main.length}-${main.slice(0, 1).replace('.', 'd')}`);
    mkdirSync(path.join(repository, 'snapshots', COMMIT), { recursive: true });
    mkdirSync(path.join(repository, 'refs'));
    writeFileSync(path.join(repository, 'snapshots', COMMIT, 'config.json'), '{}');
    writeFileSync(path.join(repository, 'refs', 'main'), main);
    cpSync((await models.familyOf('llama-1')).folder, path.join(models.root, 'elsewhere'), { recursive: true });
    expect((await failureOf(() => openCheckpoint(repository))).message).toMatch(/Name the snapshot: .*c0ffee/);
  });

  it('has all parts of a set, and no index', async () => {
    const folder = path.join(models.root, 'no-index');
    cpSync((await models.familyOf('llama-2 grouped queries')).folder, folder, { recursive: true });
    rmSync(path.join(folder, 'model.safetensors.index.json'));
    await expectEqual('llama-2 grouped queries', folder);
    const parts = readdirSync(folder).filter((file) => file.endsWith('.safetensors'));
    expect(parts).toHaveLength(3);
    rmSync(path.join(folder, parts[1]!));
    expect((await failureOf(() => openCheckpoint(folder))).message).toMatch(/Download the other shards as well/);
  });

  it('has parts that hold some tensors twice', async () => {
    const folder = path.join(models.root, 'twice');
    cpSync((await models.familyOf('llama-2 grouped queries')).folder, folder, { recursive: true });
    const [first, second] = readdirSync(folder).filter((file) => file.endsWith('.safetensors'));
    const alone = (file: string): RawTensors => {
      const own = path.join(models.root, `own-${file}`);
      mkdirSync(own, { recursive: true });
      cpSync(path.join(folder, file), path.join(own, file));
      return readRaw(own);
    };
    const [name, tensor] = [...alone(first!)][0]!;
    writeRaw(path.join(folder, second!), alone(second!).set(name, tensor));
    await expectEqual('llama-2 grouped queries', folder);
    rmSync(path.join(folder, 'model.safetensors.index.json'));
    await expectEqual('llama-2 grouped queries', folder);
    const bytes = Uint8Array.from(tensor.bytes);
    bytes[bytes.length - 1]! ^= 1;
    writeRaw(path.join(folder, second!), alone(second!).set(name, { ...tensor, bytes }));
    const failure = await failureOf(() => openCheckpoint(folder));
    expect([failure.code, failure.message]).toEqual([
      'checkpoint/shard-index',
      expect.stringMatching(/the same every time/),
    ]);
  });

  it('has one file of another name', async () => {
    const folder = await models.variant('llama-1');
    renameSync(path.join(folder, 'model.safetensors'), path.join(folder, 'tiny-v2.safetensors'));
    await expectEqual('llama-1', folder);
    cpSync(path.join(folder, 'tiny-v2.safetensors'), path.join(folder, 'tiny-v3.safetensors'));
    expect((await failureOf(() => openCheckpoint(folder))).message).toMatch(/only tiny-v2\.safetensors, tiny-v3/);
  });
});

describe('odd, and what it was', () => {
  it.each<[what: string, FamilyName, Change, Fields?]>([
    ['no architectures', 'llama-1', () => undefined, (config) => ({ ...config, architectures: undefined })],
    ['architectures that are null', 'qwen3', () => undefined, (config) => ({ ...config, architectures: null })],
    [
      'a type under its new name',
      'llama-3.1',
      () => undefined,
      (config) => ({ ...config, torch_dtype: undefined, dtype: 'bfloat16' }),
    ],
    [
      'fields that are null',
      'llama-1',
      () => undefined,
      (config) => ({
        ...config,
        num_key_value_heads: null,
        rope_scaling: null,
        head_dim: null,
        quantization_config: null,
      }),
    ],
    [
      'empty rope_parameters beside the old spelling',
      'llama-1',
      () => undefined,
      (config) => ({ ...config, rope_parameters: null }),
    ],
    [
      'buffers of older versions, of any type',
      'llama-1',
      (all) => {
        all.set('model.rotary_emb.inv_freq', raw32([4], [1, 2, 3, 4]));
        for (const block of [0, 1, 2]) {
          all.set(`model.layers.${block}.self_attn.rotary_emb.inv_freq`, raw32([4], [1, 2, 3, 4]));
          all.set(`model.layers.${block}.self_attn.masked_bias`, {
            dtype: 'I64',
            shape: [1],
            bytes: new Uint8Array(8),
          });
        }
      },
    ],
    [
      'the causal mask as bytes',
      'gpt-neox',
      (all) =>
        all.set('gpt_neox.layers.0.attention.bias', { dtype: 'BOOL', shape: [1, 1, 4, 4], bytes: new Uint8Array(16) }),
    ],
    [
      'weights in float64',
      'llama-1',
      (all) => {
        for (const [name, tensor] of [...all]) {
          const bytes = new Uint8Array(Float64Array.from(valuesOf(tensor)).buffer);
          all.set(name, { dtype: 'F64', shape: tensor.shape, bytes });
        }
      },
    ],
    [
      'the head beside the embeddings that it is tied to',
      'llama-3.2 tied',
      (all) => all.set('lm_head.weight', all.get('model.embed_tokens.weight')!),
    ],
  ])('%s', async (_, name, change, fields) => {
    await expectEqual(name, await models.variant(name, change, fields));
  });

  it.each<[what: string, FamilyName, Change, Fields, says: RegExp]>([
    [
      'a head that is tied and is another matrix',
      'llama-3.2 tied',
      (all) => {
        const table = all.get('model.embed_tokens.weight')!;
        all.set('lm_head.weight', { ...table, bytes: table.bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) });
      },
      (config) => config,
      /the embeddings once more.*another matrix.*tie_word_embeddings/,
    ],
    [
      'a head for classes',
      'llama-1',
      () => undefined,
      (config) => ({ ...config, architectures: ['LlamaForSequenceClassification'] }),
      /LlamaForSequenceClassification".*with another head/,
    ],
    [
      'a reward model',
      'qwen3',
      () => undefined,
      (config) => ({ ...config, architectures: ['Qwen3ForRewardModel'] }),
      /with another head/,
    ],
    [
      'two architectures',
      'llama-1',
      () => undefined,
      (config) => ({ ...config, architectures: ['A', 'B'] }),
      /a list of one name/,
    ],
    [
      'blocks that were searched for',
      'llama-1',
      () => undefined,
      (config) => ({ ...config, architectures: ['DeciLMForCausalLM'], model_type: 'nemotron-nas', block_configs: [] }),
      /DeciLMForCausalLM/,
    ],
    [
      'blocks that a field of another program describes',
      'llama-1',
      () => undefined,
      (config) => ({ ...config, block_configs: [{ attention: { no_op: true } }] }),
      /block_configs/,
    ],
  ])('but not %s', async (_, name, change, fields, says) => {
    const folder = await models.variant(name, change, fields);
    const failure = await failureOf(() => models.numbersOf(name, folder));
    expect(failure.code).toMatch(/^checkpoint\/(tensor|config|unsupported-architecture)$/);
    expect(failure.message).toMatch(says);
  });
});

describe('a model of images and text is read as its language model', () => {
  const wrapped = (architecture: string, type: string) => (config: object) => {
    const text = Object.fromEntries(Object.entries(config).filter(([name]) => name !== 'architectures'));
    return {
      architectures: [architecture],
      model_type: type,
      image_token_index: 3,
      text_config: text,
      vision_config: { hidden_size: 8, model_type: 'clip_vision_model' },
      vision_feature_layer: -2,
    };
  };
  const rest =
    (prefix: string) =>
    (all: RawTensors): void => {
      all.set(`${prefix}vision_tower.vision_model.embeddings.patch_embedding.weight`, raw32([2, 2], [1, 2, 3, 4]));
      all.set(`${prefix}vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight`, raw32([1, 1], [1]));
      all.set(`${prefix}multi_modal_projector.linear_1.bias`, raw32([1], [1]));
    };
  const language =
    (rename: (name: string) => string) =>
    (all: RawTensors): void => {
      for (const [name, tensor] of [...all]) {
        all.delete(name);
        all.set(rename(name), tensor);
      }
    };

  it.each<[architecture: string, type: string, FamilyName, prefix: string, rename: (name: string) => string]>([
    ['LlavaForConditionalGeneration', 'llava', 'llama-1', '', (name) => `language_model.${name}`],
    [
      'LlavaForConditionalGeneration',
      'llava',
      'llama-3.1',
      'model.',
      (name) => name.replace(/^model\./, 'model.language_model.'),
    ],
    ['LlavaNextForConditionalGeneration', 'llava_next', 'mistral', '', (name) => `language_model.${name}`],
    ['LlavaOnevisionForConditionalGeneration', 'llava_onevision', 'qwen2', '', (name) => `language_model.${name}`],
    ['Mistral3ForConditionalGeneration', 'mistral3', 'mistral 0.3', '', (name) => `language_model.${name}`],
    ['InternVLForConditionalGeneration', 'internvl', 'qwen3', '', (name) => `language_model.${name}`],
  ])('%s of type %s around %s', async (architecture, type, name, prefix, rename) => {
    const folder = await models.variant(
      name,
      (all) => {
        language(rename)(all);
        rest(prefix)(all);
      },
      wrapped(architecture, type),
    );
    await expectEqual(name, folder);
    const note = `the language part of a ${architecture}`;
    expect(await models.notesOf(folder)).toEqual([note]);
    const [result] = await models.engine.evaluate(await models.planOf(name, folder));
    expect(modelText(result!.provenance)).toBe(`, ${note}`);
    const [exported, plain] = [`${folder}-exported`, `${folder}-plain`];
    await models.engine.exportModel(await models.planOf(name, folder), { folder: exported, format: 'huggingface' });
    const { folder: own } = await models.familyOf(name);
    await models.engine.exportModel(await models.planOf(name, own), { folder: plain, format: 'huggingface' });
    expect(JSON.stringify([...readRaw(exported)])).toBe(JSON.stringify([...readRaw(plain)]));
    const checkpoints = await Promise.all([exported, plain].map((each) => openCheckpoint(each)));
    for (const checkpoint of checkpoints) checkpoint.close();
    expect(checkpoints[0]!.config).toEqual(checkpoints[1]!.config);
  });

  const sections = { type: 'mrope', rope_type: 'default', mrope_section: [1, 1, 2] };
  it.each<[what: string, FamilyName, fields: NonNullable<Fields>]>([
    [
      'Qwen2.5-VL, in one piece',
      'qwen2',
      (config) => ({
        ...config,
        architectures: ['Qwen2_5_VLForConditionalGeneration'],
        model_type: 'qwen2_5_vl',
        rope_scaling: { type: 'mrope', mrope_section: [1, 1, 2] },
        vision_config: {},
      }),
    ],
    [
      'Qwen2-VL',
      'qwen2 window',
      (config) =>
        wrapped(
          'Qwen2VLForConditionalGeneration',
          'qwen2_vl',
        )({
          ...{ ...config, model_type: 'qwen2_vl_text', rope_scaling: sections },
        }),
    ],
    [
      'Qwen3-VL',
      'qwen3',
      (config) =>
        wrapped(
          'Qwen3VLForConditionalGeneration',
          'qwen3_vl',
        )({
          ...{ ...config, model_type: 'qwen3_vl_text', rope_scaling: { ...sections, mrope_interleaved: true } },
        }),
    ],
  ])('%s', async (_, name, fields) => {
    const folder = await models.variant(
      name,
      (all) => {
        language((each) => each.replace(/^model\./, 'model.language_model.'))(all);
        all.set('model.visual.blocks.0.norm1.weight', raw32([1], [1]));
      },
      fields,
    );
    await expectEqual(name, folder);
    expect((await models.notesOf(folder)).join()).toMatch(/^the language part of a Qwen/);
  });

  it.each<[what: string, fields: Fields, says: RegExp]>([
    ['that Espalier does not know', wrapped('FancyForConditionalGeneration', 'fancy'), /FancyForConditionalGeneration/],
    [
      'around a family that it does not know',
      (config) => wrapped('LlavaForConditionalGeneration', 'llava')({ ...config, model_type: 'fancy' }),
      /LlavaForConditionalGeneration/,
    ],
    ['whose text attends to images', wrapped('MllamaForConditionalGeneration', 'mllama'), /MllamaForConditional/],
    ['with an unknown part', wrapped('LlavaForConditionalGeneration', 'llava'), /audio_tower.*|images or sound/],
  ])('but not one %s', async (what, fields, says) => {
    const folder = await models.variant(
      'llama-1',
      (all) => {
        language((name) => `language_model.${name}`)(all);
        if (what === 'with an unknown part') all.set('audio_tower.x.weight', raw32([1], [1]));
      },
      fields,
    );
    expect((await failureOf(() => models.numbersOf('llama-1', folder))).message).toMatch(says);
  });
});
