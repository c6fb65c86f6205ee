import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, textSchema } from '../base/scalarSchemas.ts';

/** Parameters, biases and norms included, and their bytes in the types that the checkpoint has them in. */
export type Size = Immutable<z.infer<typeof sizeSchema>>;

export const sizeSchema = z.strictObject({ parameters: z.number(), bytes: z.number() });

/** What a pruned model's size and speed are beside the dense one's, without running it: sizes are exact. */
export type Prediction = Immutable<z.infer<typeof predictionSchema>>;

export const predictionSchema = z.strictObject({
  dense: sizeSchema,
  pruned: sizeSchema,
  /** How many times as fast, where times of the block shapes are known; and what those were measured on, for people. */
  speedUp: z.strictObject({ prefill: amountSchema, decode: amountSchema, on: textSchema }).exactOptional(),
});
