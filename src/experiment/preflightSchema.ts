import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, textSchema } from '../base/scalarSchemas.ts';
import { predictionSchema } from './predictionSchema.ts';

/** What an evaluation will take, said before it begins: estimates, but for what is already there. */
export type Preflight = Immutable<z.infer<typeof preflightSchema>>;
export type PreflightCost = Preflight['costs'][number];

const costSchema = z.strictObject({
  /** "weights", "hidden states": what a person would call it. */
  name: textSchema,
  kind: z.enum(['memory', 'disk']),
  bytes: amountSchema,
});

export const preflightSchema = z.strictObject({
  /** What runs it: "cpu, 2 threads". */
  deviceName: textSchema,
  /** Models that go through the network: one for each metric and sparsity, and the dense one where its perplexity is not known. */
  models: countSchema,
  /** Evaluation blocks, and tokens of each. */
  blocks: countSchema,
  length: countSchema,
  /** Of tasks: documents of each, what is asked of all, and the tokens of that, what is common read once. */
  tasks: z
    .strictObject({
      list: z.array(z.strictObject({ task: textSchema, documents: countSchema })),
      requests: countSchema,
      tokens: countSchema,
      /** Of all models together, part of the `seconds` below. */
      seconds: amountSchema,
      /** Hidden states of one model, and where they lie. */
      bytes: amountSchema,
      kept: z.enum(['memory', 'disk']),
    })
    .exactOptional(),
  gradients: z.enum(['not needed', 'cached', 'to compute']),
  /** What budgets come to, as sentences for a person. */
  budgets: z.array(textSchema).exactOptional(),
  /** Program runs, the units of progress. */
  steps: countSchema,
  /** Multiplications and additions of the matrix products. */
  flops: amountSchema,
  /** The device's rate on a matrix product, as measured just now. */
  gigaflops: amountSchema,
  /** Wall time, estimated from the two. */
  seconds: amountSchema,
  /** How small and fast each evaluation's model will be, before it is known which components go; without a prediction zeros stay in place. */
  speeds: z
    .array(z.strictObject({ metric: textSchema, sparsity: textSchema, prediction: predictionSchema.exactOptional() }))
    .exactOptional(),
  /** What takes room, the largest first. */
  costs: z.array(costSchema),
  /** Room that there is. */
  free: z.strictObject({ memory: amountSchema, disk: amountSchema }),
  /** What will be computed, and may not be meant: as sentences for a person. */
  warnings: z.array(textSchema),
  /** What there is too little of, as sentences for a person; empty where all is enough. */
  problems: z.array(textSchema),
});
