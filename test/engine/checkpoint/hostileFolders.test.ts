import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { checkTensors } from '../../../src/engine/checkpoint/checkTensors.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { elementCount } from '../../../src/engine/checkpoint/elementTypes.ts';
import { writeSafetensors } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import { failureOrNone } from '../../support/expectCoded.ts';
import { adapterConfig, factorsFor, putFactors, writeAdapter } from '../../support/generate/adapter.ts';
import { randomTensor } from '../../support/generate/randomTensor.ts';
import { raw32, type RawTensors, rewriteWeights } from '../../support/generate/rewriteWeights.ts';
import { mutateBytes, mutateJson } from '../../support/mutate.ts';
import { TINY_LLAMA } from './tinyConfigs.ts';

// Whatever stands in the files that weights are made of, it is read or refused with a code.

const root = mkdtempSync(path.join(tmpdir(), 'espalier-hostile-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const TINY = {
  ...TINY_LLAMA,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  vocab_size: 20,
  num_attention_heads: 4,
};

async function plainFolder(): Promise<string> {
  const folder = mkdtempSync(path.join(root, 'plain-'));
  const rng = new Rng(3);
  const tensors = allParameters(parseConfig(TINY, 'config.json')).map(({ tensor, shape }) => {
    const data = randomTensor({ name: tensor, shape, role: 'embedding' }, rng);
    return [tensor, { dtype: 'BF16', shape, data }] as const;
  });
  await writeSafetensors(path.join(folder, 'model.safetensors'), new Map(tensors));
  put(folder, 'config.json', TINY);
  return folder;
}

function put(folder: string, file: string, content: object | Uint8Array): void {
  rmSync(path.join(folder, file), { force: true });
  writeFileSync(path.join(folder, file), content instanceof Uint8Array ? content : JSON.stringify(content));
}

const LAYERS = [0, 1].flatMap((block) => ['q_proj', 'v_proj'].map((name) => `model.layers.${block}.self_attn.${name}`));

function edited(edit: (all: RawTensors, layer: string) => void) {
  return async (): Promise<string> => {
    const folder = await plainFolder();
    rewriteWeights(folder, (all) => {
      for (const layer of LAYERS) edit(all, layer);
    });
    return folder;
  };
}

interface Base {
  readonly make: () => Promise<string>;
  /** Files that are damaged. */
  readonly json?: string;
  readonly weights?: string;
}

const masked = edited((all, layer) => {
  const weight = all.get(`${layer}.weight`)!;
  all.delete(`${layer}.weight`);
  all.set(`${layer}.weight_orig`, weight);
  all.set(`${layer}.weight_mask`, raw32(weight.shape, new Array<number>(elementCount(weight.shape)!).fill(1)));
});
const scaled = edited((all, layer) => {
  const { shape } = all.get(`${layer}.weight`)!;
  all.set(`${layer}.weight`, { dtype: 'F8_E4M3', shape, bytes: new Uint8Array(elementCount(shape)!).fill(40) });
  all.set(
    `${layer}.weight_scale_inv`,
    raw32(
      [Math.ceil(shape[0]! / 8), Math.ceil(shape[1]! / 8)],
      new Array<number>(4).fill(2).slice(0, Math.ceil(shape[0]! / 8) * 2),
    ),
  );
});
const SCALED = { ...TINY, quantization_config: { quant_method: 'fp8', weight_block_size: [8, 8] } };
const COMPRESSED = {
  ...TINY,
  quantization_config: {
    quant_method: 'compressed-tensors',
    format: 'float-quantized',
    ignore: ['lm_head'],
    config_groups: { group_0: { weights: { num_bits: 8, symmetric: true, block_structure: [8, 8] } } },
  },
};
const LLAVA = {
  architectures: ['LlavaForConditionalGeneration'],
  model_type: 'llava',
  text_config: { ...TINY, architectures: null },
  vision_config: {},
};

async function withConfig(make: () => Promise<string>, config: object): Promise<string> {
  const folder = await make();
  put(folder, 'config.json', config);
  return folder;
}

async function adapted(): Promise<string> {
  const base = await plainFolder();
  const folder = mkdtempSync(path.join(root, 'adapter-'));
  const adapter: RawTensors = new Map();
  const rng = new Rng(4);
  for (const layer of LAYERS) {
    const shape = layer.endsWith('v_proj') ? [16, 16] : [16, 16];
    putFactors(adapter, `base_model.model.${layer}`, shape, factorsFor(shape, 2, rng));
  }
  cpSync(base, path.join(folder, 'base'), { recursive: true });
  writeAdapter(folder, adapterConfig('./base', { rank_pattern: { v_proj: 2 }, alpha_pattern: { v_proj: 4 } }), adapter);
  return folder;
}

async function readAll(folder: string): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  try {
    const parameters = allParameters(checkpoint.config);
    checkTensors(checkpoint, parameters);
    for (const { tensor, shape } of parameters) checkpoint.read(tensor, shape);
  } finally {
    checkpoint.close();
  }
}

const CODES = [
  'checkpoint/not-found',
  'checkpoint/config',
  'checkpoint/unsupported-architecture',
  'checkpoint/safetensors',
  'checkpoint/tensor',
] as const;

/** A lying header before the same data. */
function withHeader(bytes: Buffer, change: (header: unknown) => unknown): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE());
  const head = Buffer.from(JSON.stringify(change(JSON.parse(bytes.toString('utf8', 8, end)))));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  return Buffer.concat([size, head, bytes.subarray(end)]);
}

describe('damaged', () => {
  it.each<[what: string, Base]>([
    ['masks', { make: masked, weights: 'model.safetensors' }],
    ['scales', { make: () => withConfig(scaled, SCALED), json: 'config.json', weights: 'model.safetensors' }],
    ['scales of compressed-tensors', { make: () => withConfig(scaled, COMPRESSED), json: 'config.json' }],
    ['models of images and text', { make: () => withConfig(plainFolder, LLAVA), json: 'config.json' }],
    ['adapters', { make: adapted, json: 'adapter_config.json', weights: 'adapter_model.safetensors' }],
    ['sizes', { make: plainFolder, weights: 'model.safetensors' }],
  ])('%s are read or refused', async (_, { make, json, weights }) => {
    const folder = await make();
    await readAll(folder);
    const rng = new Rng(17);
    let refused = 0;
    const expectCoded = async (file: string, bytes: Uint8Array, whole: Uint8Array): Promise<void> => {
      put(folder, file, bytes);
      if (await failureOrNone(() => readAll(folder), CODES)) refused++;
      put(folder, file, whole);
    };
    for (const file of [json, weights].filter((name) => name !== undefined)) {
      const whole = readFileSync(path.join(folder, file));
      for (let i = 0; i < 250; i++) {
        const change = (value: unknown): unknown => mutateJson(rng, value);
        const lying =
          file === json ? Buffer.from(JSON.stringify(change(JSON.parse(whole.toString())))) : withHeader(whole, change);
        await expectCoded(file, lying, whole);
        if (i % 5 === 0) await expectCoded(file, mutateBytes(rng, Uint8Array.from(whole)), whole);
      }
    }
    await readAll(folder);
    expect(refused).toBeGreaterThan(50);
  });
});
