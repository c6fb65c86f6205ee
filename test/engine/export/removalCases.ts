import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import type { ModelMask } from '../../../src/experiment/structureSchema.ts';
import { packBits } from '../../../src/experiment/components.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { ONNX_FILE, writeOnnx } from '../../../src/engine/export/onnx/onnxModel.ts';
import { onnxPositions } from '../../../src/engine/export/onnx/onnxPositions.ts';
import { RemovedWriter } from '../../../src/engine/export/removedWriter.ts';
import { compareLogits, compareOnnx } from '../../../src/engine/export/verify.ts';
import { embed } from '../../../src/engine/forward/embed.ts';
import { LoadedModels } from '../../../src/engine/forward/loadedModels.ts';
import { finalLogits, logitsOf } from '../../../src/engine/forward/logits.ts';
import { type BlockFill, maskInputs } from '../../../src/engine/forward/maskInputs.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { componentsOf } from '../../../src/engine/models/components.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { runOnnxFile } from '../../../src/engine/runtime/onnxFile.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

// What a mask and fills compute in memory, against the smaller checkpoint read back, and against its ONNX form in plain onnxruntime.

const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
const noStep = (): Promise<void> => Promise.resolve();
const names = Object.keys(FAMILIES) as FamilyName[];

/** One group and every third channel go, one block loses its attention or MLP, and the middle one goes altogether. */
function unevenMask(checkpoint: Checkpoint): ModelMask {
  return [0, 1, 2].map((index) => {
    const { groups, channels, experts } = componentsOf(checkpoint.config, index);
    if (checkpoint.config.mixture)
      return {
        ...whole(groups, channels),
        ...keptExperts(experts, (i) => (index === 0 ? i > 0 : i === 2)),
        ...(index === 1 && { dropped: true as const }),
      };
    const some = {
      groups: packBits(bits(groups, (i) => i > 0)),
      channels: packBits(bits(channels, (i) => i % 3 !== 1)),
    };
    if (index === 1) return { ...some, dropped: true };
    if (index === 0) return some;
    const headless = groups > 2;
    return { groups: packBits(bits(groups, () => !headless)), channels: packBits(bits(channels, () => headless)) };
  });
}

function whole(groups: number, channels: number) {
  return { groups: packBits(bits(groups, () => true)), channels: packBits(bits(channels, () => true)) };
}

function keptExperts(experts: number | undefined, kept: (index: number) => boolean) {
  return experts === undefined ? {} : { experts: packBits(bits(experts, kept)) };
}

/** The same of every block; of a mixture experts alone go, one and another in each. */
function evenMask(checkpoint: Checkpoint): ModelMask {
  return [0, 1, 2].map((index) => {
    const { groups, channels, experts } = componentsOf(checkpoint.config, index);
    if (checkpoint.config.mixture) return { ...whole(groups, channels), ...keptExperts(experts, (i) => i !== index) };
    return {
      groups: packBits(bits(groups, (i) => i !== index % 2 || groups === 1)),
      channels: packBits(bits(channels, (i) => (i + index) % 2 === 0)),
    };
  });
}

export type Way = (typeof WAYS)[number];

export const WAYS = [
  { what: 'blocks of different sizes', maskOf: unevenMask, compensated: false },
  { what: 'blocks of one size', maskOf: evenMask, compensated: false },
  { what: 'blocks of different sizes with compensation', maskOf: unevenMask, compensated: true },
  { what: 'blocks of one size with compensation', maskOf: evenMask, compensated: true },
];

/** @param waysOf which of the ways a family is put to, by its place among them */
export function describeRemoval(waysOf: (family: number) => readonly Way[]): void {
  afterAll(() => device.dispose());
  describe.each(names)('%s: masked and removed compute the same', (name) => {
    const isMixture = /moe|mixtral/.test(name);
    // Of experts nothing is left to make up for.
    removalOf(name, isMixture ? WAYS.filter(({ compensated }) => !compensated) : waysOf(names.indexOf(name)));
  });
}

function removalOf(name: FamilyName, ways: readonly Way[]): void {
  let family: TemporaryFamily;
  let dense: Checkpoint;
  let out: string;
  let untouched: Float32Array;
  const tokens = Int32Array.from({ length: FAMILIES[name].length }, (_, i) => (i * 37) % 300);
  const models = new LoadedModels({});

  beforeAll(async () => {
    family = await temporaryFamily(name);
    dense = await openCheckpoint(family.folder);
    untouched = await maskedLogits(dense, [ALL, ALL, ALL], undefined, tokens);
    out = await mkdtemp(path.join(tmpdir(), 'espalier-export-'));
  });
  afterAll(async () => {
    models.dispose();
    dense.close();
    await family.remove();
    await rm(out, { recursive: true });
  });

  it.each(ways)('$what', async ({ what, maskOf, compensated }) => {
    const mask = maskOf(dense);
    const fills = compensated ? fillsOf(dense) : undefined;
    const folder = await mkdtemp(path.join(out, 'model-'));
    const values = JSON.parse(await readFile(path.join(family.folder, 'config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const writer = new RemovedWriter(dense, values, { mask, ...(fills && { fills }) }, folder);
    const { values: written } = await writer.finish({});
    await writeFile(path.join(folder, 'config.json'), JSON.stringify(written));
    await writeFile(path.join(folder, 'tokenizer.json'), '{}');

    const expected = await maskedLogits(dense, mask, fills, tokens);
    const model = await models.load(folder, device, undefined);
    const actual = await logitsOf(model, device, tokens, tokens.length, noStep);
    expect(compareLogits(expected, actual).difference).toBeLessThan(1e-4);
    // The comparison means something only where removal did something.
    expect(compareLogits(expected, untouched).difference).toBeGreaterThan(1e-2);
    expect('espalier' in written).toBe(!isPlain(name, what, compensated));
    // Other programs then refuse the weights: where only biases were said, they would leave them out.
    if ('espalier' in written) expect(written['espalier']).toHaveProperty('blocks');

    const { checkpoint } = model;
    if (tokens.length > onnxPositions(checkpoint.config, tokens.length)) return;
    await writeOnnx(checkpoint, folder, onnxPositions(checkpoint.config, tokens.length), noStep);
    const inOnnx = await runOnnxFile(path.join(folder, ONNX_FILE), tokens);
    expect(compareOnnx(expected, inOnnx).difference).toBeLessThan(1e-4);
  });
}

const ALL = { groups: 'f'.repeat(64), channels: 'f'.repeat(64) };

/** Most derive their heads’ size, LongRoPE the number of its factors from it; LLaMA, Granite, SmolLM3 and Falcon have fields for all biases. */
function isPlain(name: FamilyName, what: string, compensated: boolean): boolean {
  // The one block that mixes experts is the one that goes.
  if (name === 'qwen3-moe') return true;
  if (!what.startsWith('blocks of one size')) return false;
  if (/^(opt|gpt-|bloom|falcon (2|40b|rw)|phi-4|phi-3 longrope|stablelm|cohere2)/.test(name)) return false;
  return !compensated || /^(llama|granite|smollm3|falcon)/.test(name);
}

function bits(count: number, kept: (index: number) => boolean): boolean[] {
  return Array.from({ length: count }, (_, i) => kept(i));
}

function fillsOf({ config }: Checkpoint): BlockFill[] {
  const rng = new Rng(3);
  const values = (length: number) => Float32Array.from({ length }, () => rng.normal() * 0.1);
  return config.windows.map(() => ({
    attention: values(config.heads * config.headDim),
    channels: values(config.intermediate),
  }));
}

async function maskedLogits(
  checkpoint: Checkpoint,
  mask: ModelMask,
  fills: readonly BlockFill[] | undefined,
  tokens: Int32Array,
): Promise<Float32Array> {
  const models = new LoadedModels({});
  const { weights } = await models.load(checkpoint.folder, device, undefined);
  const programs = await ModelPrograms.create(checkpoint.config, device, tokens.length);
  const stream = await embed({ checkpoint, device, programs }, [tokens]);
  for (const [index, layout] of weights.layouts.entries()) {
    const inputs = maskInputs(layout, mask[index]!, fills?.[index]);
    if (inputs) await stream.advance(layout, await weights.block(index), noStep, '', { mask: inputs });
  }
  const logits = await finalLogits(checkpoint.config, device, stream.batches[0]!, await weights.head(), tokens.length);
  models.dispose();
  return logits;
}
