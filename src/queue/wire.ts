import { createHash } from 'node:crypto';
import * as z from 'zod';
import { canonicalJson } from '../base/canonicalJson.ts';
import { errorSchema } from '../base/errorSchema.ts';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, hashSchema, nameSchema, textSchema } from '../base/scalarSchemas.ts';
import { planSchema } from '../experiment/planSchema.ts';
import { workClassSchema } from '../experiment/workClass.ts';
import type { RequestName } from '../protocol/requests.ts';
import { searchPlanSchema } from '../search/schema.ts';

/** Raised when a record, a question or an answer changes its meaning: programs of different formats leave each other alone, and say so. */
export const QUEUE_FORMAT = 1;

/**
 * Requests of the worker protocol that can be asked over a queue: those whose answer depends on nothing but what is asked and on the files that the
 * plan names. Who answers first opens the run.
 */
export const QUEUED = [
  'open',
  'probe',
  'measure',
  'componentScores',
  'evaluate',
] as const satisfies readonly RequestName[];
export type QueuedName = (typeof QUEUED)[number];

export type { WorkClass } from '../experiment/workClass.ts';

/**
 * What a run's first worker found when it opened it. `digits` is {@link digitsOf} the whole opening, dense losses among it: who opens the same
 * plan and finds other digits computes otherwise, and answers nothing of this run.
 */
export const runClassSchema = z.strictObject({ digits: hashSchema, of: workClassSchema });
export type RunClass = Immutable<z.infer<typeof runClassSchema>>;

/**
 * A run that has questions, as it stands in the directory while its coordinator lives. Paths in its plan are relative to the workspace where they lie
 * inside of it, and absolute otherwise.
 */
export const runEntrySchema = z.strictObject({
  format: z.literal(QUEUE_FORMAT),
  version: textSchema,
  /** What names its queue, see {@link runKey}. */
  key: z.string().regex(/^[0-9a-f]{16}$/),
  title: textSchema,
  /** Who asks: another process that drives the same run finds it taken. */
  owner: z.strictObject({ id: z.uuid(), host: textSchema, pid: countSchema }),
  work: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('run'), plan: searchPlanSchema }),
    /** An experiment: a table of evaluations. It is opened by evaluating the dense model. */
    z.strictObject({ kind: z.literal('experiment'), plan: planSchema }),
  ]),
  /** Null until the first worker has opened it. */
  class: runClassSchema.nullable(),
  /** Raised with each sign of life. */
  beat: countSchema,
  /** Milliseconds since 1970, by the clock of who wrote it. */
  seenAt: amountSchema,
});
export type RunEntry = Immutable<z.infer<typeof runEntrySchema>>;

/** A worker, as it stands in the directory while it lives. */
export const workerEntrySchema = z.strictObject({
  format: z.literal(QUEUE_FORMAT),
  id: z.uuid(),
  /** host, and what tells it from others there. */
  name: nameSchema,
  host: textSchema,
  pid: countSchema,
  of: workClassSchema.nullable(),
  version: textSchema,
  threads: countSchema,
  /** What it does now. */
  state: z.enum(['idle', 'opening', 'answering', 'leaving']),
  /** Key of the run that it works for. */
  run: textSchema.nullable(),
  /** Questions since it began, and of the last minutes, by minute. */
  answered: countSchema,
  perMinute: amountSchema,
  /** Runs that it does not answer for, and why. */
  refused: z.array(z.strictObject({ run: textSchema, error: errorSchema })).max(64),
  startedAt: amountSchema,
  beat: countSchema,
  seenAt: amountSchema,
});
export type WorkerEntry = Immutable<z.infer<typeof workerEntrySchema>>;

/** One question, a job of the run's queue: its id is {@link questionId}, so that asking twice is asking once. */
export const questionSchema = z.strictObject({
  format: z.literal(QUEUE_FORMAT),
  name: z.enum(QUEUED),
  /** As the request of that name takes them, with paths as in the run's plan; checked by that request's schema. */
  params: z.unknown(),
  /** Digits of the run; null asks to open it. */
  digits: hashSchema.nullable(),
  /** Milliseconds after which whoever works on it counts as hung and is ended. */
  limit: amountSchema,
});
export type Question = Immutable<z.infer<typeof questionSchema>> & { readonly name: QueuedName };

/** What a worker says to a question. */
export const answerSchema = z.strictObject({
  format: z.literal(QUEUE_FORMAT),
  /** Who answered. */
  worker: z.strictObject({ id: z.uuid(), name: nameSchema, version: textSchema }),
  class: runClassSchema,
  /** Seconds that it took, opening aside. */
  seconds: amountSchema,
  outcome: z.discriminatedUnion('kind', [
    /** Checked by the schema of the request. */
    z.strictObject({ kind: z.literal('result'), result: z.unknown() }),
    /** What the request failed with; `worker/exited` where it ended the engine. */
    z.strictObject({ kind: z.literal('failure'), error: errorSchema }),
  ]),
});
export type Answer = Immutable<z.infer<typeof answerSchema>>;

/** Names a question by its content. */
export function questionId({ name, params, digits }: Pick<Question, 'name' | 'params' | 'digits'>): string {
  return createHash('sha256')
    .update(canonicalJson([QUEUE_FORMAT, name, params, digits]))
    .digest('hex');
}

/** sha-256, hex, of everything that a worker found when it opened a run. */
export function digitsOf(opening: unknown): string {
  return createHash('sha256').update(canonicalJson(opening)).digest('hex');
}

/** Names a run on a server: the same for whoever drives the same run, and for no other. @param record what the run was asked, its id among it */
export function runKey(record: unknown): string {
  return createHash('sha256').update(canonicalJson(record)).digest('hex').slice(0, 16);
}
