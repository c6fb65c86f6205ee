import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { failureOf } from '../../support/expectCoded.ts';
import {
  adapterConfig,
  type Factors,
  factorsFor,
  mergedValues,
  putFactors,
  writeAdapter,
} from '../../support/generate/adapter.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { raw32, type RawTensors, readRaw, storedLike, valuesOf } from '../../support/generate/rewriteWeights.ts';
import { ModelVariants } from '../../support/modelVariants.ts';

// An adapter beside its base model is the model that it was merged into by plain loops.

let models: ModelVariants;
let count = 0;
const { HF_HUB_CACHE } = process.env;
beforeAll(async () => {
  models = await ModelVariants.create();
});
afterEach(() => {
  if (HF_HUB_CACHE === undefined) delete process.env['HF_HUB_CACHE'];
  else process.env['HF_HUB_CACHE'] = HF_HUB_CACHE;
});
afterAll(() => models.remove());

interface Recipe {
  readonly targets: RegExp;
  readonly rank: (layer: string) => number;
  readonly scaling: (layer: string, rank: number) => number;
  readonly fields: object;
}

const PLAIN: Recipe = {
  targets: /(q_proj|v_proj|fc1|query_key_value|dense_h_to_4h)$/,
  rank: () => 4,
  scaling: (_, rank) => 16 / rank,
  fields: {},
};

/** The adapter's tensors, and the model with them merged in. */
async function adapted(name: FamilyName, { targets, rank, scaling }: Recipe) {
  const adapter: RawTensors = new Map();
  const factors = new Map<string, Factors>();
  const plain = await models.variant(name, (tensors) => {
    const rng = new Rng(11);
    for (const [of, tensor] of tensors) {
      const layer = of.replace(/\.weight$/, '');
      if (layer === of || !targets.test(layer)) continue;
      const made = factorsFor(tensor.shape, rank(layer), rng);
      factors.set(layer, made);
      putFactors(adapter, `base_model.model.${layer}`, tensor.shape, made);
      tensors.set(of, storedLike(tensor, mergedValues(tensor, valuesOf(tensor), made, scaling(layer, made.rank))));
    }
  });
  return { plain, adapter, factors };
}

function newFolder(): string {
  return path.join(models.root, `adapter-${count++}`);
}

describe('an adapter beside its base model is what merging gives', () => {
  it.each<[what: string, FamilyName, Recipe]>([
    ['LLaMA, in bfloat16', 'llama-3.1', PLAIN],
    ['OPT', 'opt', PLAIN],
    ['GPT-NeoX', 'gpt-neox, in sequence', PLAIN],
    [
      'rank-stabilised',
      'llama-1',
      { ...PLAIN, scaling: (_, rank) => 16 / Math.sqrt(rank), fields: { use_rslora: true } },
    ],
    [
      'ranks and alphas of single layers',
      'llama-1',
      {
        ...PLAIN,
        rank: (layer) => (layer.endsWith('v_proj') ? 2 : 4),
        scaling: (layer, rank) =>
          (layer.endsWith('layers.1.self_attn.q_proj') ? 3 : layer.endsWith('v_proj') ? 5 : 16) / rank,
        fields: { rank_pattern: { v_proj: 2 }, alpha_pattern: { '^model.layers.1.self_attn.q_proj$': 3, v_proj: 5 } },
      },
    ],
    ['tied, with other layers adapted', 'llama-3.2 tied', PLAIN],
    ['a head of its own', 'llama-1', { ...PLAIN, targets: /lm_head$/ }],
  ])('%s', async (_, name, recipe) => {
    const { plain, adapter } = await adapted(name, recipe);
    const folder = newFolder();
    writeAdapter(folder, adapterConfig((await models.familyOf(name)).folder, recipe.fields), adapter);
    await models.expectSameModel(name, folder, plain);
    const { folder: base } = await models.familyOf(name);
    expect(await models.notesOf(folder)).toEqual([
      `the adapter ${path.basename(folder)} merged into ${path.basename(base)}`,
    ]);
  });

  it('of embeddings, whose factors are stored the other way round', async () => {
    const table = 'model.embed_tokens.weight';
    const adapter: RawTensors = new Map();
    const plain = await models.variant('llama-1', (tensors) => {
      const tensor = tensors.get(table)!;
      const [rows, columns] = tensor.shape as [number, number];
      const made = factorsFor([columns, rows], 3, new Rng(5));
      const layer = 'base_model.model.model.embed_tokens';
      adapter.set(`${layer}.lora_embedding_A`, raw32([3, rows], made.down));
      adapter.set(`${layer}.lora_embedding_B`, raw32([columns, 3], made.up));
      const change = mergedValues(
        { ...tensor, shape: [columns, rows] },
        new Float64Array(rows * columns),
        made,
        16 / 3,
      );
      const values = valuesOf(tensor).map(
        (value, i) => value + change[(i % columns) * rows + Math.floor(i / columns)]!,
      );
      tensors.set(table, storedLike(tensor, values));
    });
    const folder = newFolder();
    writeAdapter(folder, adapterConfig((await models.familyOf('llama-1')).folder), adapter);
    await models.expectSameModel('llama-1', folder, plain);
  });

  it('with modules of its own in the place of the base model’s', async () => {
    const { plain, adapter } = await adapted('llama biases', PLAIN);
    const own = new Map([
      ['lm_head.weight', 0.5],
      ['model.norm.weight', 2],
      ['model.layers.0.self_attn.q_proj.bias', 3],
    ]);
    const base = readRaw((await models.familyOf('llama biases')).folder);
    const scaled = (name: string) => {
      const tensor = base.get(name)!;
      return storedLike(
        tensor,
        valuesOf(tensor).map((value) => value * own.get(name)!),
      );
    };
    for (const name of own.keys()) {
      adapter.set(
        `base_model.model.${name === 'model.norm.weight' ? 'model.norm.modules_to_save.default.weight' : name}`,
        scaled(name),
      );
    }
    const whole = await models.variant('llama biases', (tensors) => {
      for (const [name, tensor] of readRaw(plain)) tensors.set(name, own.has(name) ? scaled(name) : tensor);
    });
    const folder = newFolder();
    const fields = { modules_to_save: ['lm_head', 'norm'], bias: 'lora_only' };
    writeAdapter(folder, adapterConfig((await models.familyOf('llama biases')).folder, fields), adapter);
    await models.expectSameModel('llama biases', folder, whole);
  });

  it('where it was saved inside the model, not merged', async () => {
    const { plain, factors } = await adapted('llama-3.1', PLAIN);
    const folder = await models.variant('llama-3.1', (tensors) => {
      for (const [name, tensor] of [...tensors]) {
        const layer = name.replace(/\.weight$/, '');
        const own = factors.get(layer);
        tensors.delete(name);
        tensors.set(`base_model.model.${own ? `${layer}.base_layer.weight` : name}`, tensor);
        if (own) putFactors(tensors, `base_model.model.${layer}`, tensor.shape, own, '.default');
      }
    });
    writeFileSync(path.join(folder, 'adapter_config.json'), JSON.stringify(adapterConfig('ada/base')));
    await models.expectSameModel('llama-3.1', folder, plain);
  });

  it('in the folder of its base model, which it names', async () => {
    const { plain, adapter } = await adapted('llama-1', PLAIN);
    const folder = await models.variant('llama-1');
    writeAdapter(folder, adapterConfig('./'), adapter);
    await models.expectSameModel('llama-1', folder, plain);
  });
});

/** As git names one. */
const COMMIT = 'abc123'.padEnd(40, '0');

describe('the base model is found', () => {
  const hub = (folder: string, revision = 'main'): void => {
    const repository = path.join(models.root, `hub-${count++}`, 'models--ada--base');
    cpSync(folder, path.join(repository, 'snapshots', COMMIT), { recursive: true });
    mkdirSync(path.join(repository, 'refs'));
    writeFileSync(path.join(repository, 'refs', revision), COMMIT);
    process.env['HF_HUB_CACHE'] = path.dirname(repository);
  };

  it.each<[what: string, name: (base: string) => string, prepare: (base: string) => void, fields?: object]>([
    ['by an absolute path', (base) => base, () => undefined],
    ['by a path from the adapter’s folder', (base) => `../${path.basename(base)}`, () => undefined],
    ['by its name in the hub’s cache', () => 'ada/base', hub],
    [
      'by its name and a branch',
      () => 'ada/base',
      (base) => {
        hub(base, 'v2');
      },
      { revision: 'v2' },
    ],
    [
      'by its name and a commit',
      () => 'ada/base',
      (base) => {
        hub(base, 'v2');
      },
      { revision: COMMIT },
    ],
  ])('%s', async (_, name, prepare, fields) => {
    const { adapter } = await adapted('llama-1', PLAIN);
    const base = await models.variant('llama-1');
    prepare(base);
    const folder = newFolder();
    writeAdapter(folder, adapterConfig(name(base), fields), adapter);
    const checkpoint = await openCheckpoint(folder);
    checkpoint.close();
    expect(checkpoint.notes).toHaveLength(1);
  });

  it.each<[what: string, base: string | null, says: RegExp, fields?: object]>([
    ['no name', null, /no base_model_name_or_path/],
    ['a name that was not downloaded', 'ada/elsewhere', /hf download ada\/elsewhere`/],
    ['a name of one part', 'gpt2', /hf download gpt2`/],
    ['another revision', 'ada/base', /--revision v3/, { revision: 'v3' }],
    ['a path from nobody knows where', 'models/of/base', /Write the path of its folder/],
    ['a folder of another machine', '\\\\server\\share', /Write the path of its folder/],
    ['a folder that is not there', '/nowhere/base', /no such folder/],
    ['a revision that leaves the cache', 'ada/base', /none of these/, { revision: '../../..' }],
  ])('or not: %s', async (_, base, says, fields) => {
    const { adapter } = await adapted('llama-1', PLAIN);
    process.env['HF_HUB_CACHE'] = models.root;
    const folder = newFolder();
    writeAdapter(folder, adapterConfig(base!, fields), adapter);
    const failure = await failureOf(() => openCheckpoint(folder));
    expect([failure.code, failure.message]).toEqual(['checkpoint/not-found', expect.stringMatching(says)]);
  });

  it('or is another adapter', async () => {
    const { adapter } = await adapted('llama-1', PLAIN);
    const [first, second] = [newFolder(), newFolder()];
    writeAdapter(first, adapterConfig((await models.familyOf('llama-1')).folder), adapter);
    writeAdapter(second, adapterConfig(first), adapter);
    expect((await failureOf(() => openCheckpoint(second))).message).toMatch(/another adapter.*one after the other/);
  });
});

describe('an adapter that is more than LoRA is refused by name', () => {
  it.each<[what: string, fields: object, says: RegExp]>([
    ['IA³', { peft_type: 'IA3' }, /peft_type to be LORA, got "IA3"/],
    ['a prompt', { peft_type: 'PREFIX_TUNING' }, /peft_type/],
    ['a classifier', { task_type: 'SEQ_CLS' }, /task_type to be CAUSAL_LM/],
    ['DoRA', { use_dora: true }, /use_dora.*DoRA/],
    ['biases of its own', { lora_bias: true }, /lora_bias/],
    ['PiSSA', { init_lora_weights: 'pissa_niter_16' }, /init_lora_weights.*"pissa_niter_16"/],
    ['other blocks', { layer_replication: [[0, 2]] }, /layer_replication.*other blocks/],
    ['rows of the embeddings', { trainable_token_indices: [5] }, /trainable_token_indices/],
    ['matrices of experts', { target_parameters: ['mlp.experts.gate_up_proj'] }, /target_parameters/],
    ['something to come', { use_fancy: 3 }, /use_fancy to be absent/],
    ['alphas by regular expressions', { alpha_pattern: { '(a+)+$': 3 } }, /alpha_pattern/],
    ['an alpha that is none', { lora_alpha: 'many' }, /lora_alpha/],
    ['alphas that are none', { alpha_pattern: { q_proj: 'many' } }, /alpha_pattern\.q_proj/],
    ['a base that is no text', { base_model_name_or_path: 3 }, /base_model_name_or_path/],
  ])('%s', async (_, fields, says) => {
    const folder = newFolder();
    writeAdapter(folder, adapterConfig('ada/base', fields), new Map());
    const failure = await failureOf(() => openCheckpoint(folder));
    expect([failure.code, failure.message]).toEqual(['checkpoint/config', expect.stringMatching(says)]);
    expect(failure.message).toMatch(/merge_and_unload|original adapter_config\.json/);
  });

  it.each<[what: string, FamilyName, change: (adapter: RawTensors) => void, says: RegExp]>([
    [
      'DoRA’s lengths',
      'llama-1',
      (all) => all.set('base_model.model.x.lora_magnitude_vector', raw32([1], [1])),
      /another kind/,
    ],
    [
      'half of the factors',
      'llama-1',
      (all) => all.delete([...all.keys()].find((name) => name.includes('lora_B'))!),
      /two factors/,
    ],
    [
      'layers of another model',
      'llama-1',
      (all) => {
        putFactors(all, 'base_model.model.model.layers.77.self_attn.q_proj', [4, 4], {
          rank: 1,
          down: new Float32Array(4),
          up: new Float32Array(4),
        });
      },
      /none of this name/,
    ],
    [
      'factors of another size',
      'llama-1',
      (all) =>
        all.set(
          [...all.keys()].find((name) => name.includes('lora_A'))!,
          raw32([4, 3], new Float32Array(12)),
        ),
      /what fits/,
    ],
    [
      'factors in whole numbers',
      'llama-1',
      (all) => {
        const [name, { shape }] = [...all].find(([each]) => each.includes('lora_A'))!;
        all.set(name, { dtype: 'I8', shape, bytes: new Uint8Array(shape[0]! * shape[1]!) });
      },
      /what fits.*I8/,
    ],
    [
      'longer embeddings',
      'llama-1',
      (all) => all.set('base_model.model.model.embed_tokens.weight', raw32([1, 1], [1])),
      /what fits model\.embed_tokens/,
    ],
    [
      'embeddings that the head shares',
      'llama-3.2 tied',
      (all) => all.set('base_model.model.lm_head.weight', raw32([1, 1], [1])),
      /the head shares/,
    ],
    [
      'nothing',
      'llama-1',
      (all) => {
        all.clear();
      },
      /at least one, got none/,
    ],
  ])('%s', async (_, name, change, says) => {
    const { adapter } = await adapted(name, PLAIN);
    change(adapter);
    const folder = newFolder();
    writeAdapter(folder, adapterConfig((await models.familyOf(name)).folder), adapter);
    const failure = await failureOf(() => openCheckpoint(folder));
    expect([failure.code, failure.message]).toEqual(['checkpoint/tensor', expect.stringMatching(says)]);
  });

  it('and so is one beside weights that it does not name', async () => {
    const { adapter } = await adapted('llama-1', PLAIN);
    const folder = await models.variant('llama-1');
    writeAdapter(folder, adapterConfig('ada/base'), adapter);
    expect((await failureOf(() => openCheckpoint(folder))).message).toMatch(
      /beside the weights.*move the adapter.*"\.\/"/,
    );
  });
});

describe('what a number is of covers base and adapter', () => {
  const identityOf = async (folder: string): Promise<string> => {
    const checkpoint = await openCheckpoint(folder);
    return checkpoint.identity().then(({ hash }) => {
      checkpoint.close();
      return hash;
    });
  };

  it('each of their files', async () => {
    const { adapter } = await adapted('llama-1', PLAIN);
    const base = await models.variant('llama-1');
    const folder = newFolder();
    const known = new Set([await identityOf(base)]);
    const expectNew = async (): Promise<void> => {
      const before = known.size;
      known.add(await identityOf(folder));
      expect(known.size).toBe(before + 1);
    };
    writeAdapter(folder, adapterConfig(base), adapter);
    await expectNew();
    writeAdapter(folder, adapterConfig(base, { lora_alpha: 17 }), adapter);
    await expectNew();
    const [[name, tensor]] = [...adapter] as [[string, RawTensors extends Map<string, infer T> ? T : never]];
    writeAdapter(
      folder,
      adapterConfig(base),
      adapter.set(
        name,
        storedLike(
          tensor,
          valuesOf(tensor).map((value) => value + 1),
        ),
      ),
    );
    await expectNew();
    const weights = path.join(base, 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1]! ^= 1;
    rmSync(weights);
    writeFileSync(weights, bytes);
    await expectNew();
    // A tokenizer of its own is the one that is read.
    cpSync(path.join(base, 'tokenizer.json'), path.join(folder, 'tokenizer.json'));
    const same = await identityOf(folder);
    expect(known).toContain(same);
    renameSync(path.join(base, 'tokenizer.json'), path.join(base, 'tokenizer.json.gone'));
    expect(await identityOf(folder)).toBe(same);
  });
});
