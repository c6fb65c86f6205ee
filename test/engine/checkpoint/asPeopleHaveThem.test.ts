import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { failureOf } from '../../support/expectCoded.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { renameTensors } from '../../support/generate/renameTensors.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { askPeer, REFERENCE_MODEL, REFERENCE_TEXT, whyNoPeer } from '../../support/peer.ts';

// The same weights under the names that other programs give them are the same model.

let root: string;
let engine: Engine;
const families = new Map<FamilyName, TemporaryFamily>();
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-as-people-'));
  engine = createEngine({ startFresh: () => createEngine() });
});
afterAll(async () => {
  await engine.dispose();
  for (const family of families.values()) await family.remove();
  await rm(root, { recursive: true });
});

async function familyOf(name: FamilyName): Promise<TemporaryFamily> {
  const family = families.get(name) ?? (await temporaryFamily(name));
  families.set(name, family);
  return family;
}

function planOf({ folder, textFile, calibrationFile }: TemporaryFamily, model = folder): TextPlan {
  return {
    model,
    text: textFile,
    calibration: calibrationFile,
    evaluations: [
      {
        metric: 'wanda',
        expression: parsePrefix('mul(W, sqrt(X))'),
        sparsity: { kind: 'unstructured', share: 0.5 },
      },
    ],
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, blocks: 2, length: 24, offsets: 'even' },
  };
}

/** A copy of the family's checkpoint with other names of tensors and other fields of config.json. */
async function variantOf(
  family: TemporaryFamily,
  rename: (name: string) => string,
  fields: object = {},
): Promise<string> {
  const folder = await mkdtemp(path.join(root, 'variant-'));
  await cp(family.folder, folder, { recursive: true });
  await renameTensors(folder, rename);
  const file = path.join(folder, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, ...fields }));
  return folder;
}

async function numbersOf(plan: TextPlan): Promise<number[]> {
  const [result] = await engine.evaluate(plan);
  return [result!.densePerplexity, result!.perplexity, result!.actualSparsity];
}

/** Before the name, behind `model.` where there is one. */
const inModel = (prefix: string) => (name: string) =>
  name.startsWith('model.') ? `${prefix}${name.slice('model.'.length)}` : name;
const before = (prefix: string) => (name: string) => `${prefix}${name}`;

const DENSE = {
  quant_method: 'compressed-tensors',
  format: 'dense',
  config_groups: {},
  global_compression_ratio: 1,
  ignore: [],
  kv_cache_scheme: null,
  quantization_status: 'frozen',
  sparsity_config: { format: 'dense', global_sparsity: 0.5, sparsity_structure: '2:4', targets: ['Linear'] },
};

const SCALED = {
  quant_method: 'compressed-tensors',
  format: 'float-quantized',
  config_groups: { group_0: { targets: ['Linear'], weights: { num_bits: 8, type: 'float', symmetric: true } } },
};

describe('the numbers of the plain checkpoint are those of one', () => {
  it.each<[what: string, FamilyName, rename: (name: string) => string, fields?: object]>([
    ['saved under data parallelism', 'llama-2 grouped queries', before('module.')],
    ['compiled before it was saved', 'llama-3.1', before('_orig_mod.')],
    ['compiled under data parallelism', 'llama biases', before('module._orig_mod.')],
    ['data parallel inside a compiled module', 'qwen3', before('_orig_mod.module.')],
    ['cut out of a model of images and text', 'llama-3.1', before('language_model.')],
    ['of a language model inside a model', 'mistral', inModel('model.language_model.')],
    [
      'of such a model, compiled and data parallel',
      'qwen2 window',
      (name) => `module._orig_mod.language_model.${name}`,
    ],
    ['held by another module', 'llama-2 grouped queries', before('model.')],
    ['with blocks that were compiled each', 'llama-3.1', (name) => name.replace(/(layers\.\d+)\./, '$1._orig_mod.')],
    ['with blocks that FSDP wrapped', 'opt', (name) => name.replace(/(layers\.\d+)\./, '$1._fsdp_wrapped_module.')],
    ['of the bare decoder', 'llama-2 grouped queries', inModel('')],
    ['of OPT, compiled', 'opt', before('_orig_mod.')],
    ['of GPT-NeoX, the bare decoder', 'gpt-neox', (name) => name.replace(/^gpt_neox\./, '')],
    ['of GPT-NeoX, compiled', 'gpt-neox', before('_orig_mod.')],
    [
      'of GPT-NeoX with tied embeddings kept as the head alone',
      'gpt-neox, in sequence',
      (name) => (name === 'gpt_neox.embed_in.weight' ? 'embed_out.weight' : name),
    ],
    ['of Phi-4, compiled', 'phi-4', before('_orig_mod.')],
    ['of GPT-2 with the names that transformers writes', 'gpt-2', before('transformer.')],
    ['of GPT-2, the bare decoder under data parallelism', 'gpt-2', before('module.')],
    ['of BLOOM with the names that transformers writes', 'bloom', before('transformer.')],
    ['of Falcon, the bare decoder', 'falcon 40b', (name) => name.replace(/^transformer\./, '')],
    [
      'of Falcon 7B in the spelling of its own code',
      'falcon 7b',
      (name) => name,
      { architectures: ['RWForCausalLM'], model_type: 'RefinedWebModel', n_head: 4, n_layer: 3 },
    ],
    [
      'of BLOOM with tied embeddings kept as the head alone',
      'bloom',
      (name) => (name === 'word_embeddings.weight' ? 'lm_head.weight' : name),
    ],
    ['of OPT, the bare decoder under data parallelism', 'opt', inModel('module.')],
    [
      'with tied embeddings that are kept as the head alone',
      'llama-3.2 tied',
      (name) => (name === 'model.embed_tokens.weight' ? 'lm_head.weight' : name),
    ],
    [
      'with tied embeddings kept as the head alone, under a prefix',
      'qwen2',
      (name) => `module.${name === 'model.embed_tokens.weight' ? 'lm_head.weight' : name}`,
    ],
    [
      'of OPT with tied embeddings kept as the head alone',
      'opt',
      (name) => (name === 'model.decoder.embed_tokens.weight' ? 'lm_head.weight' : name),
    ],
    [
      'whose quantization_config only says how sparse it is',
      'llama-3.1',
      (name) => name,
      { quantization_config: DENSE },
    ],
    ['whose quantization_config is empty', 'llama-3.1', (name) => name, { quantization_config: {} }],
    [
      'whose compression_config only says how sparse it is',
      'llama-3.1',
      (name) => name,
      { compression_config: { sparsity_config: { format: 'dense', sparsity_structure: 'unstructured' } } },
    ],
    [
      'whose quantization_config switches bitsandbytes off',
      'llama-3.1',
      (name) => name,
      { quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: false, load_in_8bit: false } },
    ],
  ])('%s', async (_, name, rename, fields) => {
    const family = await familyOf(name);
    const folder = await variantOf(family, rename, fields);
    expect(await numbersOf(planOf(family, folder))).toEqual(await numbersOf(planOf(family)));
    const [plain, variant] = [await engine.describe(family.folder), await engine.describe(folder)];
    expect(variant).toEqual({ ...plain, folder });
  });

  it('and their identity is that of their files', async () => {
    const family = await familyOf('llama-3.1');
    const [plain, variant] = await Promise.all(
      [family.folder, await variantOf(family, before('module.'))].map(async (folder) => {
        const checkpoint = await openCheckpoint(folder);
        return checkpoint.identity().finally(() => {
          checkpoint.close();
        });
      }),
    );
    expect(plain).not.toBe(variant);
  });

  const missing = whyNoPeer();
  it.skipIf(missing !== undefined)(
    `with prefixes, as the PyTorch reference computes them${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    async () => {
      const peer = await askPeer({ length: 256, samples: 1, blocks: 4, evaluations: [{ name: 'dense' }] });
      const folder = await mkdtemp(path.join(root, 'reference-'));
      for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) {
        await writeFile(path.join(folder, file), await readFile(path.join(REFERENCE_MODEL, file)));
      }
      await renameTensors(folder, before('module._orig_mod.'));
      const settings = { ...DEFAULT_SETTINGS, device: 'cpu', length: 256, blocks: 4 } as const;
      const [dense] = await engine.evaluate({ model: folder, text: REFERENCE_TEXT, evaluations: [], settings });
      await peer.remove();
      expect(Math.abs(dense!.perplexity / peer.values.get('dense')! - 1)).toBeLessThan(1e-4);
    },
    120_000,
  );
});

describe('an export of one has the names of its family', () => {
  it.each<[what: string, FamilyName, rename: (name: string) => string, fields?: object]>([
    ['that was under data parallelism', 'llama-2 grouped queries', before('module.')],
    [
      'with tied embeddings that were kept as the head alone',
      'llama-3.2 tied',
      (name) => (name === 'model.embed_tokens.weight' ? 'lm_head.weight' : name),
    ],
    ['that said how sparse it was', 'llama-3.1', (name) => name, { quantization_config: DENSE }],
  ])('%s', async (_, name, rename, fields) => {
    const family = await familyOf(name);
    const [plain, variant] = [family.folder, await variantOf(family, rename, fields)];
    const [toPlain, toVariant] = [`${variant}-plain`, `${variant}-exported`];
    await engine.exportModel(planOf(family, plain), { folder: toPlain, format: 'huggingface' });
    await engine.exportModel(planOf(family, variant), { folder: toVariant, format: 'huggingface' });
    for (const file of ['model.safetensors', 'config.json']) {
      expect(JSON.stringify([...(await readFile(path.join(toVariant, file)))]), file).toBe(
        JSON.stringify([...(await readFile(path.join(toPlain, file)))]),
      );
    }
  });
});

describe('what is not certain is refused', () => {
  it('two tensors that would be one', async () => {
    const family = await familyOf('llama-3.1');
    const folder = await variantOf(family, (name) =>
      name === 'model.layers.0.mlp.up_proj.weight' ? 'module.model.layers.0.mlp.gate_proj.weight' : name,
    );
    expect((await failureOf(() => engine.describe(folder))).message).toMatch(
      /one tensor, got two, .*mlp\.gate_proj\.weight and .*mlp\.gate_proj\.weight/,
    );
  });

  it.each<[what: string, fields: object, says: RegExp]>([
    ['GPTQ', { quant_method: 'gptq', bits: 4 }, /GPTQ with 4 bits.*before it was quantised/],
    ['AWQ', { quant_method: 'awq', bits: 4, group_size: 128 }, /AWQ with 4 bits/],
    ['an AWQ of before methods were named', { zero_point: true, q_group_size: 128, w_bit: 4 }, /a quantisation/],
    ['bitsandbytes', { quant_method: 'bitsandbytes', load_in_4bit: true }, /bitsandbytes with 4 bits/],
    ['MXFP4', { quant_method: 'mxfp4' }, /MXFP4/],
    ['HQQ', { quant_method: 'hqq', quant_config: {} }, /HQQ/],
    [
      'FP8 whose inputs are rotated',
      { ...SCALED, transform_config: { config_groups: {} } },
      /compressed-tensors, format float-quantized/,
    ],
    [
      'matrices in four bits',
      { ...SCALED, config_groups: { group_0: { weights: { num_bits: 4, type: 'int' } } } },
      /compressed-tensors/,
    ],
    [
      'eight bits that have a zero point',
      { ...SCALED, config_groups: { group_0: { weights: { num_bits: 8, symmetric: false } } } },
      /compressed-tensors/,
    ],
    [
      'dense weights that are quantised while computing',
      { ...DENSE, config_groups: { group_0: { targets: ['Linear'] } } },
      /compressed-tensors, format dense/,
    ],
    ['packed weights', { ...DENSE, format: 'pack-quantized' }, /compressed-tensors, format pack-quantized/],
    [
      'weights that are kept sparse',
      { ...DENSE, sparsity_config: { format: 'sparse-24-bitmask' } },
      /compressed-tensors/,
    ],
    ['a quantised cache', { ...DENSE, kv_cache_scheme: { num_bits: 8 } }, /compressed-tensors/],
    ['a method to come', { quant_method: 'fancy' }, /fancy/],
  ])('a quantization_config of %s', async (_, quantization_config, says) => {
    const family = await familyOf('llama-3.1');
    const folder = await variantOf(family, (name) => name, { quantization_config });
    const failure = await failureOf(() => engine.describe(folder));
    expect(failure.code).toBe('checkpoint/config');
    expect(failure.message).toMatch(says);
  });
});
