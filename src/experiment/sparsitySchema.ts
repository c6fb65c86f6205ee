import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { MAX_GROUP } from './limits.ts';

/** How many weights a mask removes. */
export type Sparsity = Immutable<z.infer<typeof sparsitySchema>>;
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

export const sparsitySchema = z
  .discriminatedUnion('kind', [unstructuredSchema, semiStructuredSchema])
  .refine((sparsity) => sparsity.kind === 'unstructured' || sparsity.keep < sparsity.of, 'N:M keeps fewer than M');
