import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import {
  checkpointSummarySchema,
  deviceReportSchema,
  progressSchema,
  perplexityResultSchema,
  resultSchema,
} from '../experiment/resultSchema.ts';
import { errorSchema } from '../base/errorSchema.ts';
import { planSchema, settingsSchema } from '../experiment/planSchema.ts';
import { workClassSchema } from '../experiment/workClass.ts';
import { countSchema, textSchema } from '../base/scalarSchemas.ts';
import { structureScoreSchema } from '../experiment/structureSchema.ts';
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
import {
  closingServedSchema,
  generatedSchema,
  generatedTokenSchema,
  generatingSchema,
  servedPlanSchema,
  servedSchema,
} from '../experiment/generationSchema.ts';
import { LAYOUTS } from '../experiment/exportFormats.ts';
import { readersReportSchema } from '../experiment/readersSchema.ts';
import { modelCostsSchema } from '../experiment/costSchema.ts';
import { costsRequestSchema } from '../experiment/costsRequestSchema.ts';
import { preflightSchema } from '../experiment/preflightSchema.ts';
import { inspectionSchema } from '../experiment/inspectionSchema.ts';
import { measuringSchema, probingSchema } from '../experiment/measuringSchema.ts';
import { componentsOpeningSchema, measureOutcomeSchema, openingSchema } from '../search/lifecycle/schema.ts';
import { packedValuesSchema } from '../search/masks/schema.ts';
import { probeOutcomeSchema } from '../search/metrics/schema.ts';
import { llmUsageSchema, MAX_PROMPT, MAX_REPLY } from '../search/llm/schema.ts';
import {
  heldOutSchema,
  recoveredSchema,
  recoveryOpeningSchema,
  recoveryPointSchema,
  savedSchema,
  savingSchema,
  trainedSchema,
  trainingSchema,
} from '../search/recovery/schema.ts';
import { searchPlanSchema } from '../search/schema.ts';
import { seenWorkersSchema } from '../experiment/seenWorker.ts';

/** Raised when a message changes its meaning; both ends say theirs first, and a mismatch is an error rather than a riddle. */
export const PROTOCOL_VERSION = 6;

/** Names a running request in what is said about it; chosen by the client. Without one nobody listens. */
export const tokenSchema = countSchema;

const answersSchema = <Answer extends z.ZodType>(answer: Answer) =>
  z.array(z.strictObject({ answer, seconds: z.number().min(0) }));

/**
 * Every request of the editor: what it takes, what it gives, and whether it takes the device: those are answered one after the other. Both
 * ends derive their types from this one map, and the engine has a method of the same form for most. What happens meanwhile is told by
 * {@link EVENTS}, and comes before the reply.
 */
export const REQUESTS = {
  /** First message of a connection; everything else is refused before it. */
  initialize: {
    params: z.strictObject({ protocol: countSchema, version: textSchema }),
    result: z.strictObject({ protocol: countSchema, version: textSchema, pid: countSchema }),
    device: false,
  },
  /** Evaluates a plan. */
  evaluate: { params: planSchema, result: z.array(resultSchema), device: true },
  /** What an evaluation of the plan would take. */
  preflight: { params: planSchema, result: preflightSchema, device: true },
  /** Loads what the questions of a search share. */
  open: {
    params: searchPlanSchema,
    result: z.union([openingSchema, componentsOpeningSchema, recoveryOpeningSchema]),
    device: true,
  },
  /** Checks metrics of the open search and fingerprints their masks; answers in the order asked. */
  probe: { params: probingSchema, result: answersSchema(probeOutcomeSchema), device: true },
  /** Losses of candidates of the open search; answers in the order asked. */
  measure: { params: measuringSchema, result: answersSchema(measureOutcomeSchema), device: true },
  /** What each component of the model scores, for the open search. */
  componentScores: { params: structureScoreSchema, result: packedValuesSchema, device: true },
  /** Trains on from a state of the open recovery, and keeps the one that comes of it. */
  train: { params: trainingSchema, result: trainedSchema, device: true },
  /** What a state of the open recovery does on the held-out text. */
  validate: { params: recoveryPointSchema, result: heldOutSchema, device: true },
  /** Evaluates a state of the open recovery, with what it prunes already evaluated on the same text. */
  recovered: { params: recoveredSchema, result: perplexityResultSchema, device: true },
  /** Prunes again as the plan of a recovery says, and writes what one of its states makes of that. */
  saveRecovery: { params: savingSchema, result: savedSchema, device: true },
  /**
   * Drives the run in `folder` (see runs/runFolder.ts) with a pool of `workers` processes, by itself as many as its plan says, until it is
   * finished or, by cancelling this request, paused. `recover` goes on from what stands before the damage of a journal. `llm` holds which
   * endpoint its language model may be asked at, and with what key; it is kept nowhere, and a run that names another endpoint fails with
   * `llm/not-agreed`. With `queue` the workers of a queue answer in the place of a pool's: its address without a password, and the password, which
   * is kept nowhere either.
   */
  search: {
    params: z.strictObject({
      folder: textSchema,
      workers: countSchema.min(1).max(256).exactOptional(),
      recover: z.boolean().exactOptional(),
      llm: z.strictObject({ endpoint: textSchema.min(1), key: textSchema.min(1).exactOptional() }).exactOptional(),
      queue: z
        .strictObject({ address: textSchema.min(1), password: textSchema.min(1).exactOptional() })
        .exactOptional(),
    }),
    result: z.enum(['finished', 'paused']),
    // The numbers are computed by other processes: this one's device stays free.
    device: false,
  },
  /** What every node of the plan's only metric computes on one linear layer, the first one for null. */
  inspect: {
    params: z.strictObject({ plan: planSchema, tensor: textSchema.nullable() }),
    result: inspectionSchema,
    device: true,
  },
  /** Evaluates the plan's only evaluation and writes the model that it pruned; the folder is there when the reply comes, or not at all. */
  exportModel: {
    params: z.strictObject({ plan: planSchema, target: exportTargetSchema }),
    result: exportReportSchema,
    device: true,
  },
  /** Who will be able to read what the plan's only evaluation prunes; of the checkpoint as it is without one. */
  readers: {
    params: z.strictObject({ plan: planSchema, layout: z.enum(LAYOUTS).exactOptional() }),
    result: readersReportSchema,
    device: false,
  },
  /** Compares the speed of checkpoints. */
  measureSpeed: { params: speedPlanSchema, result: z.array(speedReportSchema), device: true },
  /** What a checkpoint costs by what its blocks keep: sizes, and times as far as they are known or asked for. */
  costs: { params: costsRequestSchema, result: modelCostsSchema, device: true },
  /** Compares the logits of an exported model with those in a file. */
  verify: { params: verifyRequestSchema, result: verificationSchema, device: true },
  /** Loads a checkpoint to be measured by `speedRound`. */
  openSpeed: { params: speedRequestSchema, result: speedSubjectSchema, device: true },
  /** One forward pass of the checkpoint that `openSpeed` has loaded. */
  speedRound: { params: z.strictObject({}), result: speedRoundSchema, device: true },
  /** Opens a checkpoint, or what a plan's only evaluation makes of it, to be asked by `generate`. */
  openServed: { params: servedPlanSchema, result: servedSchema, device: true },
  /** Goes on from prompts; each token is told by `onToken`. */
  generate: { params: generatingSchema, result: generatedSchema, device: true },
  /** Frees an open model. */
  closeServed: { params: closingServedSchema, result: z.strictObject({}), device: true },
  /** Every device that the engine knows, with whether it works here. */
  devices: { params: z.strictObject({}), result: z.array(deviceReportSchema), device: true },
  /** What decides the digits that it computes with such settings, beside what it is asked. */
  workClass: {
    params: settingsSchema.pick({ device: true, precision: true }),
    result: workClassSchema,
    device: true,
  },
  /** What a checkpoint folder holds, from its config and the headers of its weights. */
  describe: { params: z.strictObject({ model: textSchema }), result: checkpointSummarySchema, device: false },
  /** Hashes of the inputs of a plan as they are on disk now, comparable with those in a result's provenance. */
  identify: {
    params: z.strictObject({ models: z.array(textSchema).max(1024), files: z.array(textSchema).max(1024) }),
    /** In the order asked; null where a file is missing or cannot be read. */
    result: z.strictObject({ models: z.array(textSchema.nullable()), files: z.array(textSchema.nullable()) }),
    device: false,
  },
  /** The first documents of a file that a task names, as they are read when it is evaluated: for a look at what becomes of them. */
  firstDocuments: {
    params: z.strictObject({ file: textSchema }),
    result: z.strictObject({ documents: z.array(z.record(textSchema, z.unknown())).max(16) }),
    device: false,
  },
  /** The worker releases its device and exits by itself after the reply. */
  shutdown: { params: z.strictObject({}), result: z.strictObject({}), device: true },
} as const;

/** What the worker says about a running request, under the name of the listener's method that it is for, with that method's arguments. */
export const EVENTS = {
  onProgress: z.tuple([progressSchema]),
  /** A result, and its evaluation's place in the plan. */
  onResult: z.tuple([resultSchema, countSchema]),
  /** Why one evaluation of the plan failed (its metric cannot rank), and its place; the others go on. */
  onFailure: z.tuple([errorSchema, countSchema]),
  /** A token of what is generated. */
  onToken: z.tuple([generatedTokenSchema]),
  /** A search's journal has one more event: its line and its kind. Who wants to know more reads the journal. */
  onGrew: z.tuple([countSchema, textSchema]),
  /** Who there is to answer a search that is asked over a queue: all of them, whenever something about one is new. */
  onWorkers: z.tuple([seenWorkersSchema]),
} as const;

/** The one thing that the worker asks, of the editor's language model, while a search runs. */
export const LANGUAGE_MODEL = {
  params: z.strictObject({
    /** Family of the model, empty for any. */
    llm: textSchema,
    prompt: z.string().max(MAX_PROMPT),
    temperature: z.number(),
    replyTokens: countSchema,
  }),
  result: z.strictObject({ text: z.string().max(MAX_REPLY), usage: llmUsageSchema, model: textSchema }),
} as const;

export type RequestName = keyof typeof REQUESTS;
export type RequestParams<Name extends RequestName> = Immutable<z.infer<(typeof REQUESTS)[Name]['params']>>;
export type RequestResult<Name extends RequestName> = Immutable<z.infer<(typeof REQUESTS)[Name]['result']>>;

export type EventName = keyof typeof EVENTS;
export type EventArguments<Name extends EventName> = Immutable<z.infer<(typeof EVENTS)[Name]>>;

type LanguageModelQuestion = Immutable<z.infer<(typeof LANGUAGE_MODEL)['params']>>;
export type LanguageModelAnswer = Immutable<z.infer<(typeof LANGUAGE_MODEL)['result']>>;

/** Asks the editor's language model; the signal says that nobody waits for the answer any more. */
export type AskLanguageModel = (question: LanguageModelQuestion, signal: AbortSignal) => Promise<LanguageModelAnswer>;

/** A method for each event. */
export type Listener = { readonly [Name in EventName]: (...about: EventArguments<Name>) => void };

/** What whoever asks is told meanwhile, and how it changes its mind. */
export interface RequestHooks extends Partial<Listener> {
  readonly signal?: AbortSignal | undefined;
  /** What it rejects with is what the search is told; without it the editor has none. */
  readonly askLanguageModel?: AskLanguageModel;
}

/** Asks for one thing. */
export type Ask<Name extends RequestName> = (
  params: RequestParams<Name>,
  hooks?: RequestHooks,
) => Promise<RequestResult<Name>>;

export function isRequestName(name: string): name is RequestName {
  return Object.hasOwn(REQUESTS, name);
}

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}
