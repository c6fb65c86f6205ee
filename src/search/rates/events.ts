import type { ErrorData } from '../../base/errors.ts';
import type { BlockComponents, ModelMask } from '../../experiment/structureSchema.ts';
import type { LlmRole, LlmUsage } from './llm.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { MeasureOutcome, SearchOpening } from '../metrics/events.ts';

/**
 * What happens in a search for rates or for masks, in order. `resumed`, `paused` and `failed` are those of every run (searchEvents.ts).
 * Losses in nats per token.
 */
export type RateEvent =
  | StructureOpenedEvent
  | RateBaselineEvent
  | ConfigurationMeasuredEvent
  | ConfigurationEvent
  | IterationEvent
  | LlmAskedEvent
  | LlmRepliedEvent
  | FallbackEvent
  | StructureFinalistEvent
  | RatesFinishedEvent;

export type MaskEvent =
  StructureOpenedEvent | ScoresEvent | StepEvent | ProbabilitiesEvent | StructureFinalistEvent | MasksFinishedEvent;

/** The model is loaded. */
export interface StructureOpenedEvent extends StructureOpening {
  readonly kind: 'structure-opened';
}

export interface StructureOpening extends SearchOpening {
  /** Of each block. */
  readonly components: readonly BlockComponents[];
  /** Tokens of the calibration text, which the batches of mask search are cut from. */
  readonly calibrationTokens: number;
  /** OWL's rates at the plan's sparsity; of a search for rates. */
  readonly owl?: readonly number[];
}

// ---- rates ----

/** Loss of one configuration on the whole fitness text; baselines have −1, −2, … in the order of the plan. */
export interface ConfigurationMeasuredEvent {
  readonly kind: 'configuration-measured';
  readonly id: number;
  readonly measure: MeasureOutcome;
  readonly seconds: number;
}

/** A baseline on the fitness text, measured as configurations are. Rates that only an evaluation finds out have no such event. */
export interface RateBaselineEvent {
  readonly kind: 'rate-baseline';
  /** −1, −2, … in the order of the plan. */
  readonly id: number;
  readonly name: string;
  readonly rates: readonly number[];
  /** Undefined where it is not finite. */
  readonly perplexity?: number;
  readonly error?: ErrorData;
}

export type RateOperator =
  'llm-initialise' | 'llm-mutate' | 'llm-cross' | 'uniform' | 'owl' | 'random' | 'spread' | 'gaussian' | 'blend';

/** One configuration with what became of it; ids count from 0 in the order of proposal. */
export interface ConfigurationEvent extends Configuration {
  readonly kind: 'configuration';
}

export interface Configuration {
  readonly id: number;
  /** 0: initialisation. */
  readonly generation: number;
  readonly operator: RateOperator;
  /** Ids of those that it was made of; empty for a language model, which was shown the whole population. */
  readonly parents: readonly number[];
  /** One for each block, with the plan's mean. */
  readonly rates: readonly number[];
  /** Whether the language model's list was projected onto mean and range. */
  readonly repaired?: true;
  /** The request whose reply it stood in. */
  readonly call?: number;
  readonly outcome:
    | { readonly kind: 'full'; readonly perplexity: number }
    /** It has the very rates of configuration `of`; of a baseline where that is below 0. */
    | { readonly kind: 'shared'; readonly of: number; readonly perplexity: number }
    | { readonly kind: 'invalid'; readonly detail: string };
}

export interface IterationEvent {
  readonly kind: 'iteration';
  readonly generation: number;
  /** Of the configurations made in it; null where none is valid. */
  readonly best: number | null;
  readonly mean: number | null;
  readonly worst: number | null;
  readonly bestSoFar: { readonly id: number; readonly perplexity: number } | null;
  readonly counts: RateCounts;
}

/** Over the whole search so far. */
export interface RateCounts {
  readonly configurations: number;
  readonly evaluations: number;
  readonly duplicates: number;
  readonly invalid: number;
  /** Requests to the language model that were answered, and those that were not. */
  readonly calls: number;
  readonly failedCalls: number;
  /** Lists that stood in replies: used as they were, used after projection, refused. */
  readonly listsUsed: number;
  readonly listsRepaired: number;
  readonly listsRefused: number;
  /** Configurations that classical operators made in the language model's place. */
  readonly fallbacks: number;
  readonly promptTokens: number;
  readonly replyTokens: number;
  readonly cost: number;
}

/** Written before a request is sent: one that has no reply after a kill may have been paid for, and is not sent again. */
export interface LlmAskedEvent {
  readonly kind: 'llm-asked';
  /** Counts from 0. */
  readonly call: number;
  readonly generation: number;
  readonly role: LlmRole;
  /** 0, or how many times the same was asked before. */
  readonly attempt: number;
  readonly wanted: number;
  readonly prompt: string;
}

export interface LlmRepliedEvent {
  readonly kind: 'llm-replied';
  readonly call: number;
  readonly reply: LlmReply;
  readonly seconds: number;
}

export type LlmReply =
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly usage: LlmUsage;
      readonly cost: number;
      readonly model: string;
    }
  /** After all tries; with what the provider may charge for them. Beyond the cap nothing is asked, and there is no `llm-asked` event. */
  | { readonly kind: 'failed'; readonly error: ErrorData; readonly usage?: LlmUsage; readonly cost?: number }
  /** The process ended while it waited: it may have been paid for and is not asked again. */
  | { readonly kind: 'lost' };

/** Classical operators stand in for the language model. */
export interface FallbackEvent {
  readonly kind: 'fallback';
  readonly generation: number;
  readonly role: LlmRole;
  /** Configurations. */
  readonly count: number;
  readonly reason: string;
}

export interface RatesFinishedEvent {
  readonly kind: 'rates-finished';
  readonly counts: RateCounts;
  /** Ids, best first. */
  readonly best: readonly number[];
}

/** A finalist or a baseline, evaluated as an evaluation outside a search would. */
export interface StructureFinalistEvent {
  readonly kind: 'structure-finalist';
  /** Configuration's id; undefined for a baseline and for masks. */
  readonly id?: number;
  readonly name: string;
  readonly result?: EvaluationResult;
  readonly test?: EvaluationResult;
  readonly error?: ErrorData;
}

// ---- masks ----

/** What the components score, where keep-probabilities start from a metric: see {@link PackedValues}. */
export interface ScoresEvent {
  readonly kind: 'scores';
  readonly scores: PackedValues;
}

/** A number for every component of the model, block after block: float32, little-endian, in base64. */
export interface PackedValues {
  readonly groups: string;
  readonly channels: string;
  /** One for each block, where whole blocks may go. */
  readonly blocks?: string;
}

export interface StepEvent {
  readonly kind: 'step';
  /** Counts from 0. */
  readonly step: number;
  /** Of each mask drawn; null where it was not finite, and left out. */
  readonly losses: readonly (number | null)[];
  /** The moving average that they were compared with; null while no loss was finite. */
  readonly baseline: number | null;
  readonly seconds: number;
}

/** The keep-probabilities before step `step`, and what the masks kept by them do on the fitness text. */
export interface ProbabilitiesEvent {
  readonly kind: 'probabilities';
  readonly step: number;
  readonly values: PackedValues;
  /** What the update needs beside them: the moving average of the losses so far; null while no loss was finite. */
  readonly baseline: number | null;
  readonly perplexity: number | null;
  /** Share of the blocks' weights that these masks remove, whole model. */
  readonly removed: number;
  /** Losses left out so far. */
  readonly leftOut: number;
}

export interface MasksFinishedEvent {
  readonly kind: 'masks-finished';
  /** Those of the checkpoint that does best on the fitness text; of equal ones the latest. */
  readonly mask: ModelMask;
  readonly steps: number;
  readonly leftOut: number;
}
