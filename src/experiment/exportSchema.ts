import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, textSchema } from '../base/scalarSchemas.ts';
import { EXPORT_FORMATS, LAYOUTS } from './exportFormats.ts';
import { GGUF_TYPES } from './ggufTypes.ts';
import { settingsSchema } from './planSchema.ts';
import { readersReportSchema } from './readersSchema.ts';
import { perplexityResultSchema } from './resultSchema.ts';

/** Tokens of one sequence: the longest that any model has been trained on, many times over. */
const MAX_TOKENS = 1 << 24;
const machineSchema = settingsSchema.pick({ device: true, precision: true, threads: true });

export type ExportTarget = Immutable<z.infer<typeof exportTargetSchema>>;

export const exportTargetSchema = z.strictObject({
  /** Absolute; made by the export, or empty. */
  folder: textSchema,
  format: z.enum(EXPORT_FORMATS),
  /** Of the matrices in a GGUF file; what the checkpoint's embedding has where it is not given. */
  type: z.enum(GGUF_TYPES).exactOptional(),
  /** Of a Hugging Face folder whose whole components went; plain where it is not said. */
  layout: z.enum(LAYOUTS).exactOptional(),
});

/** Logits of the exported model beside those of the model in memory, on the first tokens of the evaluation text. */
export type Verification = Immutable<z.infer<typeof verificationSchema>>;

export const verificationSchema = z.strictObject({
  /** Sequence length, and how many of its last tokens were compared. */
  tokens: countSchema,
  rows: countSchema,
  /** Largest difference and largest absolute value among the logits. */
  difference: amountSchema,
  largest: amountSchema,
});

/** A model that was written, read back in another process and found to compute the same. */
export type ExportReport = Immutable<z.infer<typeof exportReportSchema>>;

export const exportReportSchema = exportTargetSchema.extend({
  /** The evaluation that was exported: what was removed, and what that did. */
  result: perplexityResultSchema,
  /** Of the whole model. */
  parameters: z.strictObject({ dense: countSchema, exported: countSchema }),
  /** Bytes of the folder's files. */
  bytes: countSchema,
  /** Whether config.json is one that any program for the family reads; otherwise sizes stand under a key of Espalier's. */
  plain: z.boolean(),
  /** Files beside the weights that were not taken along: links that lead out of the checkpoint. */
  leftOut: z.array(textSchema).max(10_000),
  /** Updated weights that were rounded to the checkpoint's types, or all that were to those of a GGUF file; and the perplexity of what was written. */
  rounded: z
    .strictObject({ to: z.array(textSchema).max(4), all: z.literal(true).exactOptional(), perplexity: z.number() })
    .exactOptional(),
  /** What someone who opens it elsewhere has to know: sentences. */
  notes: z.array(textSchema).max(16).exactOptional(),
  /** Who can read what a folder of this model holds, in each format. */
  readers: readersReportSchema.shape.verdicts,
  verification: verificationSchema,
});

/** Asks a process that knows nothing of an export to compute the logits of what lies in its folder. */
export type VerifyRequest = Immutable<z.infer<typeof verifyRequestSchema>>;

export const verifyRequestSchema = exportTargetSchema.extend({
  tokens: z.array(countSchema).min(1).max(MAX_TOKENS),
  /** How many of the last tokens' logits stand in the file. */
  rows: countSchema.min(1),
  /** Logits to compare with: float32, row after row. */
  reference: textSchema,
  settings: machineSchema,
});

/** What the speed of a checkpoint is measured with. */
export type SpeedRequest = Immutable<z.infer<typeof speedRequestSchema>>;

export const speedRequestSchema = z.strictObject({
  /** Checkpoint folder, absolute. */
  model: textSchema,
  /** Sequences that go through the model at once, and tokens of each. */
  batch: countSchema.min(1).max(65_536),
  length: countSchema.min(1).max(MAX_TOKENS),
  settings: machineSchema,
});

/** What the speeds of several checkpoints are compared on. */
export type SpeedPlan = Immutable<z.infer<typeof speedPlanSchema>>;

export const speedPlanSchema = speedRequestSchema.omit({ model: true }).extend({
  /** The first is what the others are compared with. */
  models: z.array(textSchema).min(1).max(64),
  /** Tokens of each sequence; 0 takes what all of the models were made for, at most 2048. */
  length: countSchema.max(MAX_TOKENS),
  /** Measured passes of each, one checkpoint after the other in every round, after one that is not counted. */
  rounds: countSchema.min(1).max(10_000),
});

/** A checkpoint that is loaded to be measured. */
export type SpeedSubject = Immutable<z.infer<typeof speedSubjectSchema>>;

export const speedSubjectSchema = z.strictObject({
  parameters: countSchema,
  /** Bytes of its weights on the disk. */
  bytes: countSchema,
  /** Tokens of the longest text that it was made for. */
  modelLength: countSchema,
});

/** One forward pass. */
export type SpeedRound = Immutable<z.infer<typeof speedRoundSchema>>;

export const speedRoundSchema = z.strictObject({
  seconds: amountSchema,
  /** Then so many tokens more, one after the other in each of so many sequences. */
  decode: z.strictObject({ seconds: amountSchema, tokens: countSchema, batch: countSchema }),
  /** Most bytes that the process has held so far. */
  peakMemory: amountSchema,
});

export type SpeedReport = Immutable<z.infer<typeof speedReportSchema>>;
/** Median, lowest and highest of the rounds. */
export type Spread = SpeedReport['tokensPerSecond'];

const spreadSchema = z.strictObject({ median: amountSchema, lowest: amountSchema, highest: amountSchema });

export const speedReportSchema = speedSubjectSchema.extend({
  model: textSchema,
  /** Tokens of each sequence. */
  length: countSchema,
  /** Prefill: all tokens of the batch through the blocks, the head for the last token of each sequence. */
  tokensPerSecond: spreadSchema,
  /** Decode: tokens that follow, one after the other in each of `batch` sequences, with keys and values of those before. As {@link speedUp}. */
  decode: z.strictObject({ batch: countSchema, tokensPerSecond: spreadSchema, speedUp: amountSchema }),
  /** Most bytes that a process held which did nothing else. */
  peakMemory: amountSchema,
  /** Median of the ratios to the first checkpoint, round by round. */
  speedUp: amountSchema,
});
