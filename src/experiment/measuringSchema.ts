import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { countSchema } from '../base/scalarSchemas.ts';
import { expressionSchema } from './expressionSchema.ts';
import { MAX_BLOCKS, modelMaskSchema } from './structureSchema.ts';

/** What an open search measures the loss of: the model pruned by a metric, or at rates, one for each block, or to what a mask leaves. */
const candidateSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('metric'), expression: expressionSchema }),
  z.strictObject({ kind: z.literal('rates'), rates: z.array(z.number().min(0).max(1)).max(MAX_BLOCKS) }),
  z.strictObject({ kind: z.literal('mask'), mask: modelMaskSchema }),
]);

const sequencesSchema = z.discriminatedUnion('kind', [
  /** Blocks `begin` to `end` − 1 of the fitness text, or documents of the tasks, in the order of the search's rungs. */
  z.strictObject({ kind: z.literal('blocks'), begin: countSchema, end: countSchema }),
  /** Sequences of `tokens` tokens that begin at these tokens of the calibration text. */
  z.strictObject({
    kind: z.literal('samples'),
    offsets: z.array(countSchema).max(65_536),
    tokens: countSchema.min(2),
  }),
  /** Documents of the tasks, by their places in the order of the search's rungs. */
  z.strictObject({ kind: z.literal('documents'), documents: z.array(countSchema).min(1).max(65_536) }),
]);

/** Metrics that are looked at before anything is measured. */
export const probingSchema = z.strictObject({
  expressions: z.array(expressionSchema).max(10_000),
  /** What each, in the same order, is compared with: which weights does the one remove, and the other keep. Null for those that are not. */
  against: z.array(expressionSchema.nullable()).max(10_000).exactOptional(),
});

/** Candidates, all measured on the same sequences. */
export const measuringSchema = z.strictObject({
  candidates: z.array(candidateSchema).max(10_000),
  on: sequencesSchema,
});

export type Candidate = Immutable<z.infer<typeof candidateSchema>>;
export type Sequences = Immutable<z.infer<typeof sequencesSchema>>;
export type Probing = Immutable<z.infer<typeof probingSchema>>;
export type Measuring = Immutable<z.infer<typeof measuringSchema>>;

/** An answer, with the wall time that it took. */
export interface Timed<Answer> {
  readonly answer: Answer;
  readonly seconds: number;
}
