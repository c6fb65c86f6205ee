import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { countSchema, shareSchema } from '../base/scalarSchemas.ts';
import { budgetSchema } from './budgetSchema.ts';
import { expressionSchema } from './expressionSchema.ts';
import { ALLOCATIONS, STRUCTURE_METHOD_NAMES } from './structure.ts';

/** Far beyond any model. */
export const MAX_BLOCKS = 10_000;
const MAX_COMPONENTS = 1 << 22;
/** See `packBits`. */
const bitsSchema = z
  .string()
  .max(MAX_COMPONENTS / 4)
  .regex(/^[0-9a-f]*$/, 'expected bits in hexadecimal');

/**
 * What structural pruning removes as a whole from a decoder block: groups of attention heads that share one key-value head, channels of
 * the MLP (a row of gate and up, a column of down), and the block itself.
 */
export type BlockComponents = Immutable<z.infer<typeof componentsSchema>>;

export const componentsSchema = z.strictObject({
  /** Key-value heads: each goes with all the query heads that read it. */
  groups: countSchema.max(MAX_COMPONENTS),
  channels: countSchema.max(MAX_COMPONENTS),
  /** Weights of the linear layers that go with one group, and with one channel; biases are not counted. */
  groupWeights: countSchema,
  channelWeights: countSchema,
  /** Of a block that mixes experts: how many, the weights of one, and those of layers that stay whoever goes (a shared expert). */
  experts: countSchema.max(MAX_COMPONENTS).exactOptional(),
  expertWeights: countSchema.exactOptional(),
  sharedWeights: countSchema.exactOptional(),
});

/** What a whole model keeps, block by block. */
export type ModelMask = Immutable<z.infer<typeof modelMaskSchema>>;
/** What one block keeps. A block that is dropped passes its input on unchanged. */
export type BlockMask = ModelMask[number];

const droppedSchema = z.literal(true).exactOptional();

export const modelMaskSchema = z
  .array(
    z.strictObject({
      groups: bitsSchema,
      channels: bitsSchema,
      /** Of a block that mixes experts; absent: all stay. */
      experts: bitsSchema.exactOptional(),
      dropped: droppedSchema,
    }),
  )
  .max(MAX_BLOCKS);

/** How much of each block goes. The mean over the blocks is the sparsity, except where rates are given. */
export type RateAllocation = Immutable<z.infer<typeof ratesSchema>>;

export const ratesSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uniform') }),
  /** Outlier-weighed (Yin et al. 2024): more is kept where more scores |w|·sqrt(X) exceed `multiple` times their mean. */
  z.strictObject({ kind: z.literal('owl'), multiple: z.number().positive(), spread: z.number().min(0).max(0.5) }),
  /** One threshold for the whole model on scores standardised within each block (FLAP's adaptive structure). */
  z.strictObject({ kind: z.literal('global') }),
  z.strictObject({ kind: z.literal('given'), rates: z.array(shareSchema).max(MAX_BLOCKS) }),
]);

/** What components are ranked by: a published method, or any metric, gathered over rows and heads as Wanda-sp does. */
export type StructureScore = Immutable<z.infer<typeof structureScoreSchema>>;

export const structureScoreSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('method'), method: z.enum(STRUCTURE_METHOD_NAMES) }),
  z.strictObject({ kind: z.literal('metric'), expression: expressionSchema }),
]);

/** Whole components of a model that go. */
export type Structure = Immutable<z.infer<typeof structureSchema>>;

export const structureSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('scored'), score: structureScoreSchema, rates: ratesSchema }),
  /** What a search has found. */
  z.strictObject({ kind: z.literal('mask'), mask: modelMaskSchema }),
]);

/** What structural pruning really removed. */
export type StructureReport = Immutable<z.infer<typeof structureReportSchema>>;
export type BlockReport = StructureReport['blocks'][number];

const keptSchema = z.strictObject({ kept: countSchema, of: countSchema });

const blockReportSchema = z.strictObject({
  /** Share of the block's weights that was asked for; absent for a mask. */
  rate: z.number().exactOptional(),
  /** Share that went: whole components only come near. */
  removed: shareSchema,
  groups: keptSchema,
  channels: keptSchema,
  groupBits: bitsSchema,
  channelBits: bitsSchema,
  /** Of a block that mixes experts. */
  experts: keptSchema.exactOptional(),
  expertBits: bitsSchema.exactOptional(),
  dropped: droppedSchema,
});

export const structureReportSchema = z.strictObject({
  method: z.enum([...STRUCTURE_METHOD_NAMES, 'metric', 'mask']),
  allocation: z.enum([...ALLOCATIONS, 'given', 'mask']),
  blocks: z.array(blockReportSchema).max(MAX_BLOCKS),
  /** Of the whole model, embeddings and head included, before and after; biases and norms included. */
  parameters: z.strictObject({ dense: countSchema, pruned: countSchema }),
  /** Where a budget was asked for: the overall share that it was resolved to, where one is, and the figure that is predicted, in the budget's words. */
  budget: z
    .strictObject({ asked: budgetSchema, share: shareSchema.exactOptional(), figure: z.number() })
    .exactOptional(),
});
