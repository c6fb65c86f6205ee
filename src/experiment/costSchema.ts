import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, hashSchema, nameSchema } from '../base/scalarSchemas.ts';
import { sizeSchema } from './predictionSchema.ts';
import { MAX_BLOCKS } from './structureSchema.ts';

/** What a block is made of, by what it keeps: exact. */
export type BlockSizes = Immutable<z.infer<typeof blockSizesSchema>>;

const blockSizesSchema = z.strictObject({
  /** What goes with one group, one channel and, of a mixture, one expert. */
  group: sizeSchema,
  channel: sizeSchema,
  expert: sizeSchema,
  /** The rest, where no groups and no channels (or experts) are kept, where groups alone are, channels alone, and both: norms go with what reads them. */
  rest: z.strictObject({ none: sizeSchema, attention: sizeSchema, mlp: sizeSchema, both: sizeSchema }),
});

/**
 * Seconds: `prefill` of one pass over the batch, `decode` of one more token in each of the sequences that are decoded together; both as a comparison of
 * speeds takes them, see `SpeedPass`.
 */
export type Time = Immutable<z.infer<typeof timeSchema>>;

export const timeSchema = z.strictObject({ prefill: amountSchema, decode: amountSchema });

/** What a block takes by what it keeps: a table over some numbers of groups and of channels (of a mixture: experts), both rising from 0 to all. */
export type BlockTimes = Immutable<z.infer<typeof blockTimesSchema>>;

const MAX_POINTS = 64;
const pointsSchema = z.array(countSchema).min(1).max(MAX_POINTS);

export const blockTimesSchema = z.strictObject({
  groups: pointsSchema,
  channels: pointsSchema,
  /** By groups, then by channels. */
  times: z.array(z.array(timeSchema).min(1).max(MAX_POINTS)).min(1).max(MAX_POINTS),
  /** What some take in a model whose blocks all keep the same, which share a program that holds its memory from one to the next: rising to all. */
  alike: z.array(z.strictObject({ groups: countSchema, channels: countSchema, time: timeSchema })).max(MAX_POINTS),
});

/** What was measured of the shapes of a model's blocks. */
export type ModelTimes = Immutable<z.infer<typeof modelTimesSchema>>;

export const modelTimesSchema = z.strictObject({
  /** Of all that decides them: shapes, device, processor, precision, threads, batch, length, version. */
  fingerprint: hashSchema,
  /** The device and what it is, for people. */
  device: nameSchema,
  /** Sequences of a pass, sequences that are decoded together, and tokens of each. */
  batch: countSchema.min(1),
  decodeBatch: countSchema.min(1),
  length: countSchema.min(1),
  /** In the order of {@link ModelCosts.kinds}. */
  kinds: z.array(blockTimesSchema).max(MAX_BLOCKS),
  /** What is outside the blocks, as far as a comparison of speeds counts it. */
  outside: timeSchema,
});

/** What a model costs by what its blocks keep: sizes are exact and always known, times where they were measured. */
export type ModelCosts = Immutable<z.infer<typeof modelCostsSchema>>;

export const modelCostsSchema = z.strictObject({
  /** Blocks that are alike but for their sizes: as they are, and with biases of both output projections, which FLAP makes up for what is gone with. */
  kinds: z.array(z.strictObject({ plain: blockSizesSchema, compensated: blockSizesSchema })).max(MAX_BLOCKS),
  /** Of each block its kind, and what it has in the dense model. */
  blocks: z
    .array(
      z.strictObject({
        kind: countSchema,
        groups: countSchema,
        channels: countSchema,
        experts: countSchema.exactOptional(),
      }),
    )
    .max(MAX_BLOCKS),
  /** Embeddings, head and last norm. */
  outside: sizeSchema,
  times: modelTimesSchema.exactOptional(),
});
