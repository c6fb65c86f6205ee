import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, hashSchema, nameSchema, shareSchema, textSchema } from '../base/scalarSchemas.ts';
import { BEGINNINGS, HARNESSES, MAX_SHOTS, MAX_TASKS } from './tasks.ts';

/** A template over fields of a document: text, with `{field}` or `{field.inner}` where a value goes; `{{` and `}}` are braces. */
const templateSchema = z.string().max(1 << 16);

/** A task of one's own: how a document becomes a question. */
export type TaskTemplate = Immutable<z.infer<typeof taskTemplateSchema>>;

const taskTemplateSchema = z.strictObject({
  context: templateSchema,
  /** One template for each choice, or the field that lists them. */
  choices: z.union([
    z.strictObject({ field: nameSchema }),
    z.strictObject({ texts: z.array(templateSchema).min(2).max(1024) }),
  ]),
  /** Field with the place of the right choice, counted from 0, its letter, or its text. */
  gold: nameSchema,
});

/** A task as a plan asks for it. */
export type PlannedTask = Immutable<z.infer<typeof plannedTaskSchema>>;

const plannedTaskSchema = z.strictObject({
  /** A row of TASKS, a subject as `mmlu_astronomy`, or the name of one that has a template. */
  task: nameSchema,
  /** File of the documents: a path. Absent only until whoever makes plans ready has found it. */
  documents: nameSchema.exactOptional(),
  /** File that examples are taken of, likewise; not needed without shots. */
  examples: nameSchema.exactOptional(),
  /** Examples before each document. */
  shots: z.int().min(0).max(MAX_SHOTS),
  /** Documents, from the first on; 0 takes all. */
  limit: countSchema,
  template: taskTemplateSchema.exactOptional(),
});

/** The tasks of a plan. */
export type PlannedTasks = Immutable<z.infer<typeof plannedTasksSchema>>;

export const plannedTasksSchema = z.strictObject({
  list: z.array(plannedTaskSchema).min(1).max(MAX_TASKS),
  harness: z.enum(HARNESSES),
  beginning: z.enum(BEGINNINGS),
});

/** A mean over documents with its standard error; null of a single document. */
const meanSchema = z.strictObject({ value: shareSchema, error: amountSchema.nullable() });

export type TaskMean = Immutable<z.infer<typeof meanSchema>>;

/** By the names of the harness. Every task has the first, or, where it generates, the last two. */
const meansSchema = z.strictObject({
  acc: meanSchema.exactOptional(),
  acc_norm: meanSchema.exactOptional(),
  strict_match: meanSchema.exactOptional(),
  flexible_extract: meanSchema.exactOptional(),
});

/** How an accuracy differs from the dense model's on the same documents: how many only one of them has right, and how likely chance alone does that. */
const pairedSchema = z.strictObject({
  /** Right of the dense model alone, and of the pruned alone. */
  lost: countSchema,
  won: countSchema,
  /** McNemar's exact test, two-sided. */
  p: shareSchema,
});

/** What a task gave. */
export type TaskResult = Immutable<z.infer<typeof taskResultSchema>>;

export const taskResultSchema = z.strictObject({
  task: textSchema,
  harness: z.enum(HARNESSES),
  shots: countSchema,
  documents: countSchema,
  means: meansSchema,
  /** Of the dense model, on the same documents; absent of the dense model itself. */
  dense: meansSchema.exactOptional(),
  /** For each of the means that are counted by documents; absent of the dense model itself. */
  paired: z
    .strictObject({
      acc: pairedSchema.exactOptional(),
      acc_norm: pairedSchema.exactOptional(),
      strict_match: pairedSchema.exactOptional(),
      flexible_extract: pairedSchema.exactOptional(),
    })
    .exactOptional(),
  /** Of a group: each task in it. */
  parts: z
    .array(z.strictObject({ task: textSchema, documents: countSchema, means: meansSchema }))
    .max(MAX_TASKS)
    .exactOptional(),
  requests: countSchema,
  /** Requests that were longer than the model and cut from the left. */
  truncated: countSchema,
  /** Tokens that went through the model. */
  tokens: countSchema,
  seconds: amountSchema,
  /** sha-256 over the prompts and their tokens: equal exactly where the same was asked. */
  fingerprint: hashSchema,
  documentsFile: textSchema,
  documentsHash: hashSchema,
});

/** One document of a task, as `--details` prints it. */
export type TaskDocument = Immutable<z.infer<typeof taskDocumentSchema>>;

export const taskDocumentSchema = z.strictObject({
  task: textSchema,
  /** Place in the order of the evaluation, and in the file. */
  document: countSchema,
  row: countSchema,
  gold: countSchema,
  predicted: countSchema,
  predictedNorm: countSchema.exactOptional(),
  logLikelihoods: z.array(z.number()),
  greedy: z.array(z.boolean()),
  /** Tokens of context and continuation of each choice, after cutting. */
  tokens: z.array(z.tuple([countSchema, countSchema])),
  /** First 12 hex digits of sha-256 over `context NUL continuation` of each choice. */
  sha: z.array(textSchema),
});
