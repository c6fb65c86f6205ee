import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { nameSchema } from '../base/scalarSchemas.ts';
import { expressionSchema } from './expressionSchema.ts';
import { modelTimesSchema } from './costSchema.ts';
import { ROWS_SETTINGS } from './corpusRows.ts';
import { MAX_EVALUATIONS } from './limits.ts';
import { PROTOCOL_NAMES } from './protocols.ts';
import { recoverySchema } from './recoverySchema.ts';
import { SETTINGS } from './settings.ts';
import { settingsSchemaOf } from './settingSchema.ts';
import { componentSparsitySchema, weightSparsitySchema } from './sparsitySchema.ts';
import { ratesSchema, structureSchema } from './structureSchema.ts';
import { plannedTasksSchema } from './taskSchema.ts';
import { structureUpdateSchema, weightUpdateSchema } from './updateSchema.ts';

export const settingsSchema = settingsSchemaOf(SETTINGS);

export type PlannedEvaluation = WeightEvaluation | StructureEvaluation;

/** Single weights are removed, by a metric or by SparseGPT’s own choice. */
export type WeightEvaluation = Immutable<z.infer<typeof weightEvaluationSchema>>;

/** Beyond any family's. */
export const MAX_LAYER_TYPES = 100;

const weightEvaluationSchema = z
  .strictObject({
    /** Name of the metric as the user wrote it; the expression itself where it has none. */
    metric: nameSchema,
    /** Absent: the update, SparseGPT’s, chooses what goes. */
    expression: expressionSchema.exactOptional(),
    sparsity: weightSparsitySchema,
    /** How much of each block goes, where not the same of each; of unstructured sparsity only. */
    rates: ratesSchema.exactOptional(),
    /** Types of linear layers that are pruned, where not all are: `q_proj`, see `layerType`. The others stay as they are. */
    layers: z.array(nameSchema).min(1).max(MAX_LAYER_TYPES).exactOptional(),
    /** Weights that are compared with each other, where the metric has a say in it; else the setting's. */
    group: settingsSchema.shape.group.exactOptional(),
    /** What becomes of the weights that stay. */
    update: weightUpdateSchema.exactOptional(),
    recovery: recoverySchema.exactOptional(),
  })
  .refine(({ expression, update }) => expression !== undefined || update?.method === 'sparsegpt', {
    error: 'expected a metric, or SparseGPT’s update, which can do without',
  });

/** Whole heads, channels and blocks are removed. Scores are those of the dense model (one-shot). */
export type StructureEvaluation = Immutable<z.infer<typeof structureEvaluationSchema>>;

const structureEvaluationSchema = z.strictObject({
  /** Name of the method or metric: `wanda-sp`, `mine`. */
  metric: nameSchema,
  structure: structureSchema,
  /** Share of the decoder blocks' weights, or what the model may cost; of a mask and of given rates, which decide alone, what was asked for. */
  sparsity: componentSparsitySchema,
  /** What becomes of the output projections of what stays. */
  update: structureUpdateSchema.exactOptional(),
  recovery: recoverySchema.exactOptional(),
});

export const evaluationSchema = z.union([weightEvaluationSchema, structureEvaluationSchema]);

const rowsSchema = settingsSchemaOf(ROWS_SETTINGS);

/** What every plan works on. Paths are absolute where a plan is used, relative to the workspace in what is kept of it. */
export const inputFields = {
  /** Checkpoint folder. */
  model: nameSchema,
  /** Evaluation text; of a search the one whose perplexity is the fitness. */
  text: nameSchema,
  /** Calibration text; needed by every operand that is not read off the weights alone. */
  calibration: nameSchema.exactOptional(),
  /** Text that G is taken on, where that is not the one for calibration. */
  gradients: nameSchema.exactOptional(),
  /** Text or instruction pairs that a recovery trains on, and the text that it is watched on, where that is not held out of the first. */
  train: nameSchema.exactOptional(),
  validate: nameSchema.exactOptional(),
  /** How the texts are made of their files, where that is not as {@link ROWS_SETTINGS} has it by default. */
  rows: z
    .strictObject({
      text: rowsSchema.exactOptional(),
      calibration: rowsSchema.exactOptional(),
      gradients: rowsSchema.exactOptional(),
      train: rowsSchema.exactOptional(),
      validate: rowsSchema.exactOptional(),
      test: rowsSchema.exactOptional(),
    })
    .exactOptional(),
  /** The published protocol that the settings began with. */
  protocol: z.enum(PROTOCOL_NAMES).exactOptional(),
  settings: settingsSchema,
  /** What blocks of the model take, where a budget is about speed; measured where nobody says. */
  times: modelTimesSchema.exactOptional(),
};

/** As {@link inputFields}; the text is left out where no perplexity is asked for. */
export const evaluationFields = { ...inputFields, text: inputFields.text.exactOptional() };

/** What decides a number beside what is pruned. */
export type PlanInputs = Immutable<z.infer<z.ZodObject<typeof evaluationFields>>>;

/** The same of what is judged by a perplexity. */
export type TextInputs = Immutable<z.infer<z.ZodObject<typeof inputFields>>>;

/**
 * Everything that decides the numbers of a batch of evaluations: one checkpoint, one text, one calibration, and any number
 * of (metric, sparsity) pairs that share them. An experiment of a `.prune` file, a CodeLens and a command line all become
 * plans; the engine takes nothing else.
 */
export type EvaluationPlan = Immutable<z.infer<typeof planSchema>>;

/** One whose models are judged by a perplexity, whatever else they are judged by. */
export type TextPlan = EvaluationPlan & { readonly text: string };

/**
 * What a plan is a part of, where its evaluations are asked one by one: its result is then to the last digit that of the whole, and tells the same of
 * where it comes from.
 */
const wholeSchema = z.strictObject({
  /** Whether evaluations of the whole need calibration samples, and gradients. */
  calibration: z.boolean(),
  gradients: z.boolean(),
  /** Whether the result is to have the documents of its tasks. */
  documents: z.boolean(),
});

export const planSchema = z
  .strictObject({
    ...evaluationFields,
    /** What is asked of every model beside, or instead of, its perplexity. */
    tasks: plannedTasksSchema.exactOptional(),
    /** Empty: only the dense model is evaluated. */
    evaluations: z.array(evaluationSchema).max(MAX_EVALUATIONS),
    /** Of one evaluation at most. */
    whole: wholeSchema.exactOptional(),
  })
  .refine(({ text, tasks }) => text !== undefined || tasks !== undefined, { error: 'expected a text, tasks, or both' })
  .refine(({ whole, evaluations }) => whole === undefined || evaluations.length <= 1, {
    error: 'expected one evaluation of a whole at most',
  });
