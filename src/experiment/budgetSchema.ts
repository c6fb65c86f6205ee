import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { MOST_BYTES, MOST_TIMES_FASTER } from './limits.ts';

/** What a pruned model may cost, where that is asked for in place of a share of the weights. */
export type Budget = Immutable<z.infer<typeof budgetSchema>>;

export const budgetSchema = z.discriminatedUnion('quantity', [
  z.strictObject({
    /** Tokens of a text at once, or one after the other as they are generated. */
    quantity: z.enum(['prefill', 'decode']),
    /** The dense model's time over the pruned one's. */
    times: z.number().gt(1).max(MOST_TIMES_FASTER),
  }),
  z.strictObject({
    /** Of the whole model: embeddings, head, norms and biases included. */
    quantity: z.literal('parameters'),
    /** How much fewer there are. */
    share: z.number().gt(0).lt(1),
  }),
  z.strictObject({
    /** Of the weights, as the checkpoint stores them. */
    quantity: z.literal('bytes'),
    bytes: z.int().min(1).max(MOST_BYTES),
  }),
]);
