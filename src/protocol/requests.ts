import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import {
  checkpointSummarySchema,
  deviceReportSchema,
  progressSchema,
  resultSchema,
} from '../experiment/resultSchema.ts';
import { countSchema, textSchema } from '../base/scalarSchemas.ts';
import { errorSchema } from '../base/errorSchema.ts';
import { expressionSchema } from '../experiment/expressionSchema.ts';
import { planSchema } from '../experiment/planSchema.ts';
import { structureScoreSchema, MAX_BLOCKS, modelMaskSchema } from '../experiment/structureSchema.ts';
import {
  exportReportSchema,
  exportTargetSchema,
  speedPlanSchema,
  speedReportSchema,
  speedRequestSchema,
  speedRoundSchema,
  speedSubjectSchema,
  verificationSchema,
  verifyRequestSchema,
} from '../experiment/exportSchema.ts';
import { preflightSchema } from '../experiment/preflightSchema.ts';
import { inspectionSchema } from '../experiment/inspectionSchema.ts';
import { metricPlanSchema, probeOutcomeSchema } from '../search/metrics/schema.ts';
import { llmUsageSchema, MAX_PROMPT, MAX_REPLY, ratePlanSchema } from '../search/rates/schema.ts';
import { componentsOpeningSchema, measureOutcomeSchema, openingSchema } from '../search/lifecycle/schema.ts';
import { maskPlanSchema, packedValuesSchema } from '../search/masks/schema.ts';

/** Raised when a message changes its meaning; both ends say theirs first, and a mismatch is an error rather than a riddle. */
export const PROTOCOL_VERSION = 4;

/** Names a running request in the events about it; chosen by the client. */
const tokenSchema = countSchema;
const candidatesSchema = z.array(expressionSchema).max(10_000);
const secondsSchema = z.number().min(0);
const measuresSchema = z.strictObject({
  outcomes: z.array(z.strictObject({ measure: measureOutcomeSchema, seconds: secondsSchema })),
});
/** Names one question to the editor's language model; chosen by the worker, unique in its life. */
const callSchema = countSchema;

/** Every request of the editor, with what it takes and what it gives. Both ends derive their types from this one map. */
export const REQUESTS = {
  /** First message of a connection; everything else is refused before it. */
  initialize: {
    params: z.strictObject({ protocol: countSchema, version: textSchema }),
    result: z.strictObject({ protocol: countSchema, version: textSchema, pid: countSchema }),
  },
  /** Evaluates a plan. `progress`, `result` and `failure` events with the same token come before the reply. */
  evaluate: {
    params: z.strictObject({ token: tokenSchema, plan: planSchema }),
    result: z.strictObject({ results: z.array(resultSchema) }),
  },
  /** What an evaluation of the plan would take; `progress` events with the same token come before the reply. */
  preflight: {
    params: z.strictObject({ token: tokenSchema, plan: planSchema }),
    result: z.strictObject({ preflight: preflightSchema }),
  },
  /** Loads what the candidates of a search share; `progress` events with the same token come before the reply. */
  openSearch: {
    params: z.strictObject({ token: tokenSchema, plan: metricPlanSchema }),
    result: z.strictObject({ opening: openingSchema }),
  },
  /** Checks candidates of the open search and fingerprints their masks; outcomes in the order asked. */
  probe: {
    params: z.strictObject({ expressions: candidatesSchema }),
    result: z.strictObject({
      outcomes: z.array(z.strictObject({ probe: probeOutcomeSchema, seconds: secondsSchema })),
    }),
  },
  /** Losses of candidates on the blocks `begin` to `end` − 1, in the order of the open search's rungs. */
  measure: {
    params: z.strictObject({ expressions: candidatesSchema, begin: countSchema, end: countSchema }),
    result: measuresSchema,
  },
  /** Loads what the questions of a search for rates or masks share; `progress` events with the same token come before the reply. */
  openStructure: {
    params: z.strictObject({
      token: tokenSchema,
      plan: z.discriminatedUnion('kind', [ratePlanSchema, maskPlanSchema]),
    }),
    result: z.strictObject({ opening: componentsOpeningSchema }),
  },
  /** Losses of configurations of rates of the open search on the fitness blocks `begin` to `end` − 1. */
  measureRates: {
    params: z.strictObject({
      configurations: z.array(z.array(z.number().min(0).max(1)).max(MAX_BLOCKS)).max(10_000),
      begin: countSchema,
      end: countSchema,
    }),
    result: measuresSchema,
  },
  /** Losses of masks of the open search: on fitness blocks, or on samples that begin at tokens of the calibration text. */
  measureMasks: {
    params: z.strictObject({
      masks: z.array(modelMaskSchema).max(10_000),
      on: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('blocks'), begin: countSchema, end: countSchema }),
        z.strictObject({
          kind: z.literal('samples'),
          offsets: z.array(countSchema).max(65_536),
          tokens: countSchema.min(2),
        }),
      ]),
    }),
    result: measuresSchema,
  },
  /** What each component of the model scores; `progress` events with the same token come before the reply. */
  componentScores: {
    params: z.strictObject({ token: tokenSchema, score: structureScoreSchema }),
    result: z.strictObject({ scores: packedValuesSchema }),
  },
  /**
   * Drives the run in `folder` (see runs/runFolder.ts) with a pool of `workers` processes, by itself as many as its plan says, until it is
   * finished or, by cancelling this request, paused. `progress` and `searchEvent` events with the same token come before the reply.
   * `recover` goes on from what stands before the damage of a journal. `llm` holds which endpoint its language model may be asked at, and
   * with what key; it is kept nowhere, and a run that names another endpoint fails with `llm/not-agreed`.
   */
  search: {
    params: z.strictObject({
      token: tokenSchema,
      folder: textSchema,
      workers: countSchema.min(1).max(256).exactOptional(),
      recover: z.boolean().exactOptional(),
      llm: z.strictObject({ endpoint: textSchema.min(1), key: textSchema.min(1).exactOptional() }).exactOptional(),
    }),
    result: z.strictObject({ outcome: z.enum(['finished', 'paused']) }),
  },
  /** What the language model of the editor has answered to a `languageModelAsked` event, or why it has not. */
  languageModelReplied: {
    params: z.strictObject({
      call: callSchema,
      reply: z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('text'),
          text: z.string().max(MAX_REPLY),
          usage: llmUsageSchema,
          model: textSchema,
        }),
        z.strictObject({ kind: z.literal('failed'), error: errorSchema }),
      ]),
    }),
    result: z.strictObject({}),
  },
  /**
   * What every node of the plan's only metric computes on one linear layer, the first one for null. `progress` events with the same
   * token come before the reply.
   */
  inspect: {
    params: z.strictObject({ token: tokenSchema, plan: planSchema, tensor: textSchema.nullable() }),
    result: z.strictObject({ inspection: inspectionSchema }),
  },
  /**
   * Evaluates the plan's only evaluation and writes the model that it pruned; the folder is there when the reply comes, or not at all.
   * `progress` events with the same token come before the reply.
   */
  export: {
    params: z.strictObject({ token: tokenSchema, plan: planSchema, target: exportTargetSchema }),
    result: z.strictObject({ report: exportReportSchema }),
  },
  /** Compares the speed of checkpoints; `progress` events with the same token come before the reply. */
  speed: {
    params: z.strictObject({ token: tokenSchema, plan: speedPlanSchema }),
    result: z.strictObject({ reports: z.array(speedReportSchema) }),
  },
  /** Compares the logits of an exported model with those in a file. */
  verify: {
    params: z.strictObject({ request: verifyRequestSchema }),
    result: z.strictObject({ verification: verificationSchema }),
  },
  /** Loads a checkpoint to be measured by `speedRound`. */
  openSpeed: {
    params: z.strictObject({ request: speedRequestSchema }),
    result: z.strictObject({ subject: speedSubjectSchema }),
  },
  /** One forward pass of the checkpoint that `openSpeed` has loaded. */
  speedRound: {
    params: z.strictObject({}),
    result: z.strictObject({ round: speedRoundSchema }),
  },
  /** Every device that the engine knows, with whether it works here. */
  devices: {
    params: z.strictObject({}),
    result: z.strictObject({ devices: z.array(deviceReportSchema) }),
  },
  /** What a checkpoint folder holds, from its config and the headers of its weights. */
  describe: {
    params: z.strictObject({ model: textSchema }),
    result: z.strictObject({ summary: checkpointSummarySchema }),
  },
  /** Hashes of the inputs of a plan as they are on disk now, comparable with those in a result's provenance. */
  identify: {
    params: z.strictObject({ models: z.array(textSchema).max(1024), files: z.array(textSchema).max(1024) }),
    /** In the order asked; null where a file is missing or cannot be read. */
    result: z.strictObject({ models: z.array(textSchema.nullable()), files: z.array(textSchema.nullable()) }),
  },
  /** The worker releases its device and exits by itself after the reply. */
  shutdown: { params: z.strictObject({}), result: z.strictObject({}) },
} as const;

/** What the worker says unasked, apart from replies. */
export const EVENTS = {
  progress: z.strictObject({ token: tokenSchema, progress: progressSchema }),
  /** `index` is the evaluation's place in the plan. */
  result: z.strictObject({ token: tokenSchema, index: countSchema, result: resultSchema }),
  /** One evaluation of the plan failed (its metric cannot rank); the others go on. */
  failure: z.strictObject({ token: tokenSchema, index: countSchema, error: errorSchema }),
  /** What has happened in a search and is in its journal, as line `seq`, since `at` (milliseconds since 1970). */
  searchEvent: z.strictObject({
    token: tokenSchema,
    seq: countSchema,
    at: z.number(),
    event: z.looseObject({ kind: textSchema }),
  }),
  /**
   * A search asks the language model of the editor. The editor answers with the request `languageModelReplied` that has the same call; an
   * editor that has none says so at once.
   */
  languageModelAsked: z.strictObject({
    token: tokenSchema,
    call: callSchema,
    /** Family of the model, empty for any. */
    llm: textSchema,
    prompt: z.string().max(MAX_PROMPT),
    temperature: z.number(),
    replyTokens: countSchema,
  }),
  /** The answer to this call is not waited for any more. */
  languageModelCancelled: z.strictObject({ token: tokenSchema, call: callSchema }),
} as const;

export type RequestName = keyof typeof REQUESTS;
export type RequestParams<Name extends RequestName> = Immutable<z.infer<(typeof REQUESTS)[Name]['params']>>;
export type RequestResult<Name extends RequestName> = Immutable<z.infer<(typeof REQUESTS)[Name]['result']>>;

export type EventName = keyof typeof EVENTS;
export type EventParams<Name extends EventName> = Immutable<z.infer<(typeof EVENTS)[Name]>>;

export function isRequestName(name: string): name is RequestName {
  return Object.hasOwn(REQUESTS, name);
}

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}
