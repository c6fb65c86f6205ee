import path from 'node:path';
import { EspalierError } from '../../../src/base/errors.ts';
import { compareLogits } from '../../../src/engine/export/verify.ts';
import { GGUF_FILE } from '../../../src/engine/export/gguf/writeGguf.ts';
import { LoadedModels } from '../../../src/engine/forward/loadedModels.ts';
import { logitsOf } from '../../../src/engine/forward/logits.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import type { GgufWeights } from '../../../src/experiment/ggufTypes.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { ExportTests } from '../exports.ts';
import type { FamilyName } from '../generate/families.ts';
import { PRUNED_SHAPES, type PrunedShape } from './ggufCases.ts';
import { LlamaModel } from './llamaModel.ts';

/** What llama.cpp makes of a pruned model, beside what Espalier makes of it. */
export type GgufOutcome =
  | {
      readonly loads: true;
      /** Largest difference of logits, of so many. */
      readonly logits: number;
      /** theirs / ours − 1. */
      readonly perplexity: number;
      /** Tokens of the text, through llama.cpp's tokenizer and through ours. */
      readonly tokens: readonly [theirs: readonly number[], ours: readonly number[]];
    }
  /** `code`: of Espalier's error; nothing where llama.cpp refused the file. */
  | { readonly loads: false; readonly code: string | undefined; readonly why: string };

/** Tokens of the only block. */
const LENGTH = 24;

/**
 * Exports a small model of a family, pruned to a shape, once as GGUF and once as a folder, and asks llama.cpp and Espalier for the logits of the same text.
 *
 * @param at of the test, whose folder is written to
 */
export async function ggufOutcome(
  at: ExportTests,
  name: FamilyName,
  shape: PrunedShape,
  type: GgufWeights = 'f32',
): Promise<GgufOutcome> {
  const family = await at.family(name);
  const plan: TextPlan = {
    model: family.folder,
    text: family.textFile,
    calibration: family.calibrationFile,
    evaluations: [PRUNED_SHAPES[shape]],
    settings: {
      ...DEFAULT_SETTINGS,
      device: 'cpu',
      threads: 1,
      samples: 2,
      blocks: 1,
      length: LENGTH,
      offsets: 'even',
    },
  };
  let perplexity: number;
  try {
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'gguf', type });
    perplexity = report.rounded?.perplexity ?? report.result.perplexity;
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    return { loads: false, code: error.code, why: error.data.actual };
  }
  const theirs = await LlamaModel.open(path.join(at.folder, GGUF_FILE)).catch((error: unknown) => String(error));
  if (typeof theirs === 'string') return { loads: false, code: undefined, why: theirs };
  try {
    const folder = `${at.folder}-folder`;
    await at.engine.exportModel(plan, { folder, format: 'huggingface' });
    const ids = theirs.tokenise(family.text);
    const block = ids.slice(0, LENGTH);
    const logits = theirs.logits(block);
    const ours = await logitsOfFolder(folder, block);
    return {
      loads: true,
      logits: compareLogits(ours, logits).difference,
      perplexity: perplexityOf(logits, block) / perplexity - 1,
      tokens: [[...ids], [...(await at.engine.tokens(family.folder, family.textFile))]],
    };
  } finally {
    theirs.close();
  }
}

export async function logitsOfFolder(folder: string, ids: Int32Array): Promise<Float32Array> {
  const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
  const models = new LoadedModels({});
  try {
    const model = await models.load(folder, device, undefined);
    return await logitsOf(model, device, ids, ids.length, () => Promise.resolve());
  } finally {
    models.dispose();
    await device.dispose();
  }
}

/** @param logits [tokens, vocabulary] */
export function perplexityOf(logits: Float32Array, ids: Int32Array): number {
  const width = logits.length / ids.length;
  let loss = 0;
  for (let at = 0; at + 1 < ids.length; at++) {
    const row = logits.subarray(at * width, (at + 1) * width);
    const largest = row.reduce((found, value) => Math.max(found, value), -Infinity);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    loss += Math.log(sum) + largest - row[ids[at + 1]!]!;
  }
  return Math.exp(loss / (ids.length - 1));
}
