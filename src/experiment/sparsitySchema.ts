import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { budgetSchema } from './budgetSchema.ts';
import { MAX_GROUP } from './limits.ts';

/** How much of a model goes, as it is asked for. */
export type Sparsity = WeightSparsity | ComponentSparsity;
/** How many single weights a mask removes. */
export type WeightSparsity = UnstructuredSparsity | Immutable<z.infer<typeof semiStructuredSchema>>;
/** How many whole components go: a share of the weights, or as many as a budget takes. */
export type ComponentSparsity = Immutable<z.infer<typeof componentSparsitySchema>>;
export type UnstructuredSparsity = Immutable<z.infer<typeof unstructuredSchema>>;

/** A share of every comparison group: `k = ⌊size · share⌋` weights go. */
export const unstructuredSchema = z.strictObject({
  kind: z.literal('unstructured'),
  /** Share removed, 0 ≤ share < 1. */
  share: z.number().min(0).lt(1),
});

/** N:M: of every `of` consecutive input columns `keep` are kept. */
const semiStructuredSchema = z.strictObject({
  kind: z.literal('n:m'),
  keep: z.int().min(1),
  of: z.int().min(2).max(MAX_GROUP),
});

/** As many whole components as what is left may cost. */
const budgetedSchema = z.strictObject({ kind: z.literal('budget'), budget: budgetSchema });

const isPattern = (sparsity: { readonly kind: string; readonly keep?: number; readonly of?: number }): boolean =>
  sparsity.kind !== 'n:m' || sparsity.keep! < sparsity.of!;
const FEWER = 'N:M keeps fewer than M';

export const weightSparsitySchema = z
  .discriminatedUnion('kind', [unstructuredSchema, semiStructuredSchema])
  .refine(isPattern, FEWER);

export const componentSparsitySchema = z.discriminatedUnion('kind', [unstructuredSchema, budgetedSchema]);

export const sparsitySchema = z
  .discriminatedUnion('kind', [unstructuredSchema, semiStructuredSchema, budgetedSchema])
  .refine(isPattern, FEWER);
