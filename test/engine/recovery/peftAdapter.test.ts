import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { readSafetensorsHeader } from '../../../src/engine/checkpoint/safetensors.ts';
import { type Adapter, freshFactors } from '../../../src/engine/recovery/adapter.ts';
import { readPeftAdapter, writePeftAdapter } from '../../../src/engine/recovery/peftAdapter.ts';
import type { Recovery } from '../../../src/experiment/recovery.ts';
import { failureOf, failureOrNone } from '../../support/expectCoded.ts';
import { adapterConfig, factorsFor, putFactors, writeAdapter } from '../../support/generate/adapter.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { raw32, type RawTensors } from '../../support/generate/rewriteWeights.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-peft-'));
});
afterAll(() => rm(folder, { recursive: true }));

let places = 0;
const nextPlace = (): string => path.join(folder, String(places++));

/** What PEFT would look the layers up by, and a layer's names. */
const FAMILY_LAYERS: readonly {
  family: FamilyName;
  targets: Recovery['targets'];
  modules: readonly string[];
  layer: string;
}[] = [
  {
    family: 'llama-3.1',
    targets: 'attention',
    modules: ['k_proj', 'o_proj', 'q_proj', 'v_proj'],
    layer: 'model.layers.0.self_attn.q_proj',
  },
  { family: 'llama-3.1', targets: 'qv', modules: ['q_proj', 'v_proj'], layer: 'model.layers.1.self_attn.v_proj' },
  {
    family: 'opt',
    targets: 'all',
    modules: ['fc1', 'fc2', 'k_proj', 'out_proj', 'q_proj', 'v_proj'],
    layer: 'model.decoder.layers.0.fc1',
  },
  { family: 'gpt-2', targets: 'qv', modules: ['c_attn'], layer: 'transformer.h.0.attn.c_attn' },
  // Its two output projections have one name.
  { family: 'gpt-2', targets: 'attention', modules: ['attn.c_proj', 'c_attn'], layer: 'transformer.h.0.attn.c_proj' },
  {
    family: 'gpt-neox',
    targets: 'all',
    modules: ['dense', 'dense_4h_to_h', 'dense_h_to_4h', 'query_key_value'],
    layer: 'gpt_neox.layers.0.mlp.dense_h_to_4h',
  },
  {
    family: 'falcon 7b',
    targets: 'qv',
    modules: ['query_key_value'],
    layer: 'transformer.h.0.self_attention.query_key_value',
  },
  { family: 'phi-4', targets: 'qv', modules: ['qkv_proj'], layer: 'model.layers.0.self_attn.qkv_proj' },
  {
    family: 'mixtral',
    targets: 'all',
    modules: ['k_proj', 'o_proj', 'q_proj', 'v_proj', 'w1', 'w2', 'w3'],
    layer: 'model.layers.0.block_sparse_moe.experts.1.w2',
  },
];

test.each(FAMILY_LAYERS)(
  '$family, $targets: names are those of PEFT, and what is read is what was written',
  async ({ family, targets, modules, layer }) => {
    const { folder: model, ...temporary } = await temporaryFamily(family);
    const checkpoint = await openCheckpoint(model);
    const place = nextPlace();
    const adapter = withValues(freshFactors(checkpoint.config, { rank: 4, alpha: 6, targets, seed: 1 }));
    await writePeftAdapter(place, adapter, checkpoint.config, model);
    const config = JSON.parse(await readFile(path.join(place, 'adapter_config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(config).toMatchObject({ r: 4, lora_alpha: 6, target_modules: modules, fan_in_fan_out: family === 'gpt-2' });
    const { tensors } = await readSafetensorsHeader(path.join(place, 'adapter_model.safetensors'));
    const [down, up] = ['A', 'B'].map((which) => tensors.get(`base_model.model.${layer}.lora_${which}.weight`));
    expect([down?.shape[0], up?.shape[1]]).toEqual([4, 4]);
    const read = await readPeftAdapter(place, checkpoint);
    expect(read.layers).toEqual(adapter.layers);
    checkpoint.close();
    await temporary.remove();
  },
);

describe('adapters as others write them', () => {
  let family: TemporaryFamily;
  let model: Checkpoint;
  beforeAll(async () => {
    family = await temporaryFamily('llama-1');
    model = await openCheckpoint(family.folder);
  });
  afterAll(async () => {
    model.close();
    await family.remove();
  });

  test('ranks and scalings are each layer’s own, there and back', async () => {
    const tensors: RawTensors = new Map();
    const rng = new Rng(2);
    const layers = [0, 1].map((block) => `model.layers.${block}.self_attn.q_proj`);
    for (const [index, layer] of layers.entries()) {
      const { shape } = model.tensors.get(`${layer}.weight`)!;
      putFactors(tensors, `base_model.model.${layer}`, shape, factorsFor(shape, 2 + index, rng));
    }
    const place = nextPlace();
    writeAdapter(
      place,
      adapterConfig(family.folder, { lora_alpha: 8, alpha_pattern: { [layers[1]!]: 3 }, use_rslora: true }),
      tensors,
    );
    const read = await readPeftAdapter(place, model);
    expect(read.layers.map(({ block, rank, scaling }) => [block, rank, scaling])).toEqual([
      [0, 2, 8 / Math.sqrt(2)],
      [1, 3, 3 / Math.sqrt(3)],
    ]);
    const again = nextPlace();
    await writePeftAdapter(again, read, model.config, null);
    const back = await readPeftAdapter(again, model);
    for (const [index, layer] of back.layers.entries()) {
      expect(layer.scaling).toBeCloseTo(read.layers[index]!.scaling, 12);
      expect([layer.down, layer.up]).toEqual([read.layers[index]!.down, read.layers[index]!.up]);
    }
  });

  const LAYER = 'base_model.model.model.layers.0.self_attn.q_proj';
  const good = (): RawTensors => {
    const { shape } = model.tensors.get('model.layers.0.self_attn.q_proj.weight')!;
    const tensors: RawTensors = new Map();
    putFactors(tensors, LAYER, shape, factorsFor(shape, 2, new Rng(1)));
    return tensors;
  };

  test.each<readonly [string, object, (tensors: RawTensors) => void, string]>([
    ['DoRA', { use_dora: true }, () => undefined, 'checkpoint/config'],
    ['another method', { peft_type: 'IA3' }, () => undefined, 'checkpoint/config'],
    ['PiSSA', { init_lora_weights: 'pissa' }, () => undefined, 'checkpoint/config'],
    ['no B', {}, (tensors) => tensors.delete(`${LAYER}.lora_B.weight`), 'checkpoint/tensor'],
    [
      'no tensors',
      {},
      (tensors) => {
        tensors.clear();
      },
      'checkpoint/tensor',
    ],
    [
      'a rank that differs',
      {},
      (tensors) => tensors.set(`${LAYER}.lora_A.weight`, raw32([3, 32], new Float32Array(96))),
      'checkpoint/tensor',
    ],
    [
      'a layer that is not there',
      {},
      (tensors) => tensors.set('base_model.model.model.layers.9.x.lora_A.weight', raw32([2, 2], new Float32Array(4))),
      'checkpoint/tensor',
    ],
    [
      'a norm in the place of the model’s',
      {},
      (tensors) => tensors.set('base_model.model.model.norm.weight', raw32([32], new Float32Array(32))),
      'checkpoint/tensor',
    ],
  ])('%s is refused', async (_, fields, change, code) => {
    const tensors = good();
    change(tensors);
    const place = nextPlace();
    writeAdapter(place, adapterConfig(family.folder, fields), tensors);
    expect((await failureOf(() => readPeftAdapter(place, model))).code).toBe(code);
  });

  test('damaged bytes end in a coded error or in finite shapes', async () => {
    const place = nextPlace();
    writeAdapter(place, adapterConfig(family.folder), good());
    const file = path.join(place, 'adapter_model.safetensors');
    const bytes = await readFile(file);
    const rng = new Rng(4);
    for (let i = 0; i < 150; i++) {
      const mutated = Buffer.from(bytes);
      for (let k = 0; k < 3; k++) mutated[rng.integer(Math.min(mutated.length, 400))] = rng.integer(256);
      await writeFile(file, mutated);
      if (i % 3 === 0) await truncate(file, rng.integer(bytes.length));
      await failureOrNone(() => readPeftAdapter(place, model), ['checkpoint/safetensors', 'checkpoint/tensor']);
    }
  });
});

/** B is zero at first. */
function withValues(adapter: Adapter): Adapter {
  const rng = new Rng(8);
  for (const { up } of adapter.layers)
    for (let i = 0; i < up.values.length; i++) up.values[i] = Math.fround(rng.normal());
  return adapter;
}
