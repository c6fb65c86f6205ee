import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { speedPlanSchema, speedRequestSchema } from './exportSchema.ts';

/** What is asked about the costs of a checkpoint's block shapes. */
export type CostsRequest = Immutable<z.infer<typeof costsRequestSchema>>;

export const costsRequestSchema = speedRequestSchema.extend({
  /** Tokens of each sequence; 0 takes what the model was made for, at most 2048. */
  length: speedPlanSchema.shape.length,
  /** `known`: times come where they were measured before; `measured`: they are measured where not; `anew`: in any case. */
  times: z.enum(['known', 'measured', 'anew']),
});
