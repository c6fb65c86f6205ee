import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { nameSchema } from '../base/scalarSchemas.ts';
import { expressionSchema } from './expressionSchema.ts';
import { MAX_EVALUATIONS } from './limits.ts';
import { SETTINGS } from './settings.ts';
import { settingsSchemaOf } from './settingSchema.ts';
import { sparsitySchema, unstructuredSchema } from './sparsitySchema.ts';
import { ratesSchema, structureSchema } from './structureSchema.ts';

export const settingsSchema = settingsSchemaOf(SETTINGS);

export type PlannedEvaluation = WeightEvaluation | StructureEvaluation;

/** Single weights are removed, by a metric. */
export type WeightEvaluation = Immutable<z.infer<typeof weightEvaluationSchema>>;

const weightEvaluationSchema = z.strictObject({
  /** Name of the metric as the user wrote it; the expression itself where it has none. */
  metric: nameSchema,
  expression: expressionSchema,
  sparsity: sparsitySchema,
  /** How much of each block goes, where not the same of each; of unstructured sparsity only. */
  rates: ratesSchema.exactOptional(),
});

/** Whole heads, channels and blocks are removed. Scores are those of the dense model (one-shot). */
export type StructureEvaluation = Immutable<z.infer<typeof structureEvaluationSchema>>;

const structureEvaluationSchema = z.strictObject({
  /** Name of the method or metric: `wanda-sp`, `mine`. */
  metric: nameSchema,
  structure: structureSchema,
  /** Share of the decoder blocks' weights; of a mask what it removes. */
  sparsity: unstructuredSchema,
});

/**
 * Everything that decides the numbers of a batch of evaluations: one checkpoint, one text, one calibration, and any number
 * of (metric, sparsity) pairs that share them. An experiment of a `.prune` file, a CodeLens and a command line all become
 * plans; the engine takes nothing else.
 */
export type EvaluationPlan = Immutable<z.infer<typeof planSchema>>;

export const planSchema = z.strictObject({
  /** Checkpoint folder, absolute. */
  model: nameSchema,
  /** Evaluation text, absolute path of a UTF-8 file. */
  text: nameSchema,
  /** Calibration text, absolute path; needed by every operand that is not read off the weights alone. */
  calibration: nameSchema.exactOptional(),
  /** Empty: only the dense perplexity is evaluated. */
  evaluations: z.array(z.union([weightEvaluationSchema, structureEvaluationSchema])).max(MAX_EVALUATIONS),
  settings: settingsSchema,
});
