import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, hashSchema, shareSchema, textSchema } from '../base/scalarSchemas.ts';
import { inputFields, MAX_LAYER_TYPES, settingsSchema } from './planSchema.ts';
import { predictionSchema } from './predictionSchema.ts';
import { MAX_DEVICES } from './numberedDevice.ts';
import { recoveryReportSchema } from './recoverySchema.ts';
import { DEVICES } from './settings.ts';
import { sparsitySchema } from './sparsitySchema.ts';
import { MAX_BLOCKS, structureReportSchema } from './structureSchema.ts';
import { MAX_TASKS } from './tasks.ts';
import { taskDocumentSchema, taskResultSchema } from './taskSchema.ts';
import { updateReportSchema } from './updateSchema.ts';

/** Far beyond any model. */
const MAX_EXPERTS = 1 << 20;

const { calibrate, offsets, group, precision } = settingsSchema.shape;

/** What went into the fingerprint, for reading: "every number carries where it comes from". Without a text there is no perplexity, but tasks. */
export type Provenance = Immutable<z.infer<typeof provenanceSchema>>;

const textProvenanceFields = {
  text: textSchema,
  textHash: hashSchema,
  textTokens: countSchema,
};

const otherProvenanceFields = {
  model: textSchema,
  /** sha-256 over config.json, tokenizer.json, every safetensors file, and the tokens that tokenizer_config.json puts around a text. */
  modelHash: hashSchema,
  architecture: textSchema,
  parameters: countSchema,
  /** Words of the whole text, as lm-evaluation-harness counts them (split at white space), and its bytes in UTF-8. Results of before do not say. */
  textWords: countSchema.exactOptional(),
  textBytes: countSchema.exactOptional(),
  blocks: countSchema,
  /** Tokens of a block. */
  length: countSchema,
  calibration: textSchema.exactOptional(),
  calibrationHash: hashSchema.exactOptional(),
  samples: countSchema.exactOptional(),
  /** Tokens of a sample, where it has others than an evaluation block. */
  calibrationLength: countSchema.exactOptional(),
  offsets: offsets.exactOptional(),
  seed: countSchema.exactOptional(),
  /** Of G, where it is taken on other samples than those for calibration. */
  gradients: textSchema.exactOptional(),
  gradientsHash: hashSchema.exactOptional(),
  gradientSamples: countSchema.exactOptional(),
  gradientLength: countSchema.exactOptional(),
  gradientOffsets: offsets.exactOptional(),
  /** What a recovery was trained and watched on; without a text of its own the end of the first was held out. */
  train: textSchema.exactOptional(),
  trainHash: hashSchema.exactOptional(),
  validate: textSchema.exactOptional(),
  validateHash: hashSchema.exactOptional(),
  /** How the texts were made of their files, where not as ever. */
  rows: inputFields.rows,
  /** The protocol that the settings began with, and in what they differ from it: "length 1024". */
  protocol: textSchema.exactOptional(),
  deviations: z.array(textSchema).max(64).exactOptional(),
  group: group.exactOptional(),
  device: z.enum(DEVICES),
  deviceName: textSchema,
  precision: precision,
  versions: z.record(textSchema, textSchema),
  /** What else of the machine decides the last bits: its processor, variables of its environment. Results of before have none. */
  machine: z.record(textSchema, textSchema).exactOptional(),
  /** Tokens of the longest text that the model was made for. Results of before do not say. */
  modelLength: countSchema.exactOptional(),
  /** Share of the prunable weights that are zero in the checkpoint already. Results of before do not say. */
  modelZeros: shareSchema.exactOptional(),
  /** What was made of the model's files beyond reading them: an adapter that was merged, masks that were put on. */
  modelNotes: z.array(textSchema).max(16).exactOptional(),
};

const provenanceSchema = z.strictObject({
  text: textSchema.exactOptional(),
  textHash: hashSchema.exactOptional(),
  textTokens: countSchema.exactOptional(),
  ...otherProvenanceFields,
});

/** What one pruned model, or the dense one, is worth, and everything that a reader needs to know about where that comes from. */
export type EvaluationResult = Immutable<z.infer<typeof resultSchema>>;

/** The result of a plan with a text. */
export type PerplexityResult = Immutable<z.infer<typeof perplexityResultSchema>>;

const resultFields = {
  metric: textSchema,
  /** Infix spelling; for the dense model `dense`. */
  expression: textSchema,
  /** Undefined for the dense model. */
  sparsity: sparsitySchema.exactOptional(),
  calibrate: calibrate,
  /** Share of prunable weights that are exactly zero after pruning, those that were zero before among them. */
  actualSparsity: shareSchema,
  /** What went, where whole components were removed; `actualSparsity` is then the share of the blocks' weights. */
  structure: structureReportSchema.exactOptional(),
  /** Size and speed of what is left of it beside the dense model's: no number of the evaluation depends on it. */
  predicted: predictionSchema.exactOptional(),
  /**
   * Experts that no calibration token went through, by their names in the checkpoint, where the metric or the score asks for inputs or gradients:
   * they were not ranked, and are as they were.
   */
  unseenExperts: z.array(textSchema).max(MAX_EXPERTS).exactOptional(),
  /** What became of the weights that stay, where an update changed them. */
  update: updateReportSchema.exactOptional(),
  /** What training has made of it, where it was recovered. */
  recovery: recoveryReportSchema.exactOptional(),
  /** Share of the weights that each block lost, where the blocks were not pruned alike. */
  rates: z.array(z.number()).max(MAX_BLOCKS).exactOptional(),
  /** What the plan's tasks gave, in its order. */
  tasks: z.array(taskResultSchema).max(MAX_TASKS).exactOptional(),
  /** Each document of these with what its choices got, where the plan is a part of another one and asks for them. */
  documents: z.array(taskDocumentSchema).exactOptional(),
  /** Wall time of this plan's work (gradients, calibration, pruning, evaluation), tokenising and reading the text left out. */
  seconds: amountSchema,
  /** Where the gradients come from, of a metric that uses G: `cached` ones were computed by an earlier evaluation. */
  gradients: z.enum(['computed', 'cached']).exactOptional(),
  /** Where hidden states lay between two blocks, where memory had no room for those of all tokens. No number depends on it. */
  hiddenStates: z.literal('disk').exactOptional(),
  /** sha-256, hex: equal exactly when model, texts, tokens, settings, expression, precision, device, versions and machine are equal. */
  fingerprint: hashSchema,
};

const perplexities = { perplexity: z.number(), densePerplexity: z.number() };

export const resultSchema = z.strictObject({
  ...resultFields,
  perplexity: perplexities.perplexity.exactOptional(),
  densePerplexity: perplexities.densePerplexity.exactOptional(),
  provenance: provenanceSchema,
});

export const perplexityResultSchema = z.strictObject({
  ...resultFields,
  ...perplexities,
  provenance: z.strictObject({ ...textProvenanceFields, ...otherProvenanceFields }),
});

export function hasPerplexity(result: EvaluationResult): result is PerplexityResult {
  return result.perplexity !== undefined;
}

/** What a plan with a text gave. */
export function requirePerplexity(result: EvaluationResult): PerplexityResult {
  if (hasPerplexity(result)) return result;
  throw new RangeError(`${result.metric}: no perplexity`);
}

/** What a plan gives: with a text, perplexities. */
export type ResultOf<Plan extends { readonly text?: string }> = Plan extends { readonly text: string }
  ? PerplexityResult
  : EvaluationResult;

/** Progress of a plan, in units of work that are roughly equally long. */
export type EvaluationProgress = Immutable<z.infer<typeof progressSchema>>;

export const progressSchema = z.strictObject({
  stage: z.enum([
    'reading',
    'tokenising',
    'device',
    'gradients',
    'pruning',
    'evaluating',
    'writing',
    'verifying',
    'measuring',
  ]),
  done: amountSchema,
  total: amountSchema,
  /** Short text for a person: "block 3 of 6". */
  detail: textSchema,
});

/** What a device of this machine can do, as tried out. */
export type DeviceReport = Immutable<z.infer<typeof deviceReportSchema>>;

export const deviceReportSchema = z.strictObject({
  name: z.enum(DEVICES),
  works: z.boolean(),
  /** Why it does not work, or what was measured. */
  detail: textSchema,
  /** Measured rate of a float32 matrix product of 1024³, where it works. */
  gigaflops: amountSchema.exactOptional(),
  /** Whether it computes in float16. */
  float16: z.boolean(),
  /** Names of the devices of this kind, by their numbers; where they can be listed. */
  numbered: z.array(textSchema).max(MAX_DEVICES).exactOptional(),
});

/** What a checkpoint is, for a status bar or a list. */
export type CheckpointSummary = Immutable<z.infer<typeof checkpointSummarySchema>>;

export const checkpointSummarySchema = z.strictObject({
  folder: textSchema,
  architecture: textSchema,
  parameters: countSchema,
  prunableParameters: countSchema,
  blocks: countSchema,
  /** Types of the linear layers in the blocks, in their order: `q_proj`, `down_proj`. */
  layers: z.array(textSchema).max(MAX_LAYER_TYPES),
  hidden: countSchema,
  vocabulary: countSchema,
  /** Tokens of the longest text that it was made for. */
  modelLength: countSchema,
  /** Element types of the stored tensors. */
  storedAs: z.array(textSchema).max(64),
  /** As in {@link Provenance}. */
  notes: z.array(textSchema).max(16).exactOptional(),
});
