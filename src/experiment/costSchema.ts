import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, hashSchema, nameSchema, textSchema } from '../base/scalarSchemas.ts';
import { speedRequestSchema } from './exportSchema.ts';
import { componentsSchema, MAX_BLOCKS } from './structureSchema.ts';

/** Parameters, biases and norms included, and their bytes as the checkpoint stores them. */
export type Size = Immutable<z.infer<typeof sizeSchema>>;

const sizeSchema = z.strictObject({ parameters: amountSchema, bytes: amountSchema });

/** Sizes of the blocks that are alike. */
export type KindSizes = Immutable<z.infer<typeof kindSizesSchema>>;

const kindSizesSchema = z.strictObject({
  /** What a dense one has of each component. */
  dense: componentsSchema,
  /** What goes with one group, one channel and, of a mixture, one expert. */
  group: sizeSchema,
  channel: sizeSchema,
  expert: sizeSchema.exactOptional(),
  /** What stays of a block that keeps none of these. */
  rest: sizeSchema,
  /** Biases that its output projections get where what is removed is made up for (FLAP). */
  compensation: sizeSchema,
});

/**
 * Seconds: `prefill` of one pass over the batch, `decode` of one more token in each of the sequences that are decoded together. In the units and under
 * the conditions of a comparison of speeds, see `SpeedSession`.
 */
export type Time = Immutable<z.infer<typeof timeSchema>>;

export const timeSchema = z.strictObject({ prefill: amountSchema, decode: amountSchema });

/** What is kept of a component, and what that takes; rising in both, from nothing kept to all. */
export type TimeGrid = Immutable<z.infer<typeof timeGridSchema>>;

const timeGridSchema = z
  .array(z.strictObject({ kept: countSchema, time: timeSchema }))
  .min(1)
  .max(64);

/** Seconds of the blocks that are alike: of the attention by groups, of the MLP by channels, or experts, and what both leave. */
export type KindTimes = Immutable<z.infer<typeof kindTimesSchema>>;

const kindTimesSchema = z.strictObject({ attention: timeGridSchema, mlp: timeGridSchema, rest: timeSchema });

/** What was measured of the shapes of a model's blocks. */
export type ModelTimes = Immutable<z.infer<typeof modelTimesSchema>>;

export const modelTimesSchema = z.strictObject({
  /** Of all that decides them: shapes, device, processor, precision, threads, batch, length, version. */
  fingerprint: hashSchema,
  /** The device and the processor, for people. */
  device: nameSchema,
  /** Sequences of a pass, sequences that are decoded together, and tokens of each. */
  batch: countSchema.min(1),
  decodeBatch: countSchema.min(1),
  length: countSchema.min(1),
  /** In the order of {@link ModelCosts.kinds}. */
  kinds: z.array(kindTimesSchema).max(MAX_BLOCKS),
  /** What is outside the blocks, as far as a comparison of speeds counts it. */
  outside: timeSchema,
});

/** What a model costs by the sizes of its blocks: sizes are exact and always known, times where they were measured. */
export type ModelCosts = Immutable<z.infer<typeof modelCostsSchema>>;

export const modelCostsSchema = z.strictObject({
  kinds: z.array(kindSizesSchema).max(MAX_BLOCKS),
  /** The kind of each block. */
  blocks: z.array(countSchema).max(MAX_BLOCKS),
  /** Embeddings, head and last norm. */
  outside: sizeSchema,
  times: modelTimesSchema.exactOptional(),
});

/** What is asked about the costs of a checkpoint's block shapes. */
export type CostsRequest = Immutable<z.infer<typeof costsRequestSchema>>;

export const costsRequestSchema = speedRequestSchema.extend({
  /** Tokens of each sequence; 0 takes what the model was made for, at most 2048. */
  length: speedRequestSchema.shape.length.or(z.literal(0)),
  /** Whether times are measured where they are not known; otherwise costs come without. */
  measure: z.boolean(),
});

/** What a model's figures are predicted to be beside the dense model's. */
export type Prediction = Immutable<z.infer<typeof predictionSchema>>;

export const predictionSchema = z.strictObject({
  dense: sizeSchema,
  pruned: sizeSchema,
  /** How many times as fast, where costs are known; and on what. */
  speedUp: z.strictObject({ prefill: amountSchema, decode: amountSchema, on: textSchema }).exactOptional(),
});
