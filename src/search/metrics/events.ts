import type { ErrorData } from '../../base/errors.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';

/**
 * What happens in a search, in order. The journal keeps these, the panel and the command line fold them: whoever has all events
 * of a run knows all about it. Expressions are in prefix form (`mul(W, sqrt(X))`), losses in nats per token.
 */
export type SearchEvent =
  | OpenedEvent
  | BaselineEvent
  | ProbedEvent
  | MeasuredEvent
  | CandidateEvent
  | GenerationEvent
  | FinalistEvent
  | QuarantinedEvent
  | ResumedEvent
  | PausedEvent
  | FinishedEvent
  | FailedEvent;

export type SearchEventKind = SearchEvent['kind'];

/** The model is loaded: what its dense form does on the fitness text. */
export interface OpenedEvent extends SearchOpening {
  readonly kind: 'opened';
}

export interface SearchOpening {
  /** Evaluation blocks of the fitness text. */
  readonly blocks: number;
  /** Dense mean loss of each block, in the order in which rungs visit them. */
  readonly denseLosses: readonly number[];
  readonly densePerplexity: number;
  /** Covers model, texts, calibration, sparsity, precision, device, versions: measurements under one are comparable. */
  readonly fingerprint: string;
  readonly device: string;
  readonly parameters: number;
  readonly architecture: string;
}

/** A baseline on the fitness text, ranked as candidates are (one-shot, all blocks). */
export interface BaselineEvent {
  readonly kind: 'baseline';
  readonly metric: string;
  readonly expression: string;
  /** Undefined where the metric cannot rank. */
  readonly perplexity?: number;
  readonly error?: ErrorData;
}

/** What the check of a candidate before any evaluation gave. */
export interface ProbedEvent {
  readonly kind: 'probed';
  readonly id: number;
  /** What was asked: a search that goes on must ask the same. */
  readonly expression: string;
  readonly probe: ProbeOutcome;
  readonly seconds: number;
}

export type ProbeOutcome =
  | {
      readonly kind: 'ranks';
      /** Hash of the masks that the metric makes of the probe's layers: equal where two metrics remove the same weights. */
      readonly fingerprint: string;
      /** Whether the probe is every prunable layer, so that equal fingerprints are equal models. */
      readonly whole: boolean;
    }
  | { readonly kind: 'invalid'; readonly reason: InvalidReason; readonly detail: string };

export type InvalidReason = 'no-operand' | 'constant' | 'not-finite' | 'too-large' | 'quarantined';

/** One rung of one candidate: `blocks` more blocks of the fitness text. */
export interface MeasuredEvent {
  readonly kind: 'measured';
  /** Of the candidate; −1, −2, … are the plan's baselines. */
  readonly id: number;
  readonly rung: number;
  readonly measure: MeasureOutcome;
  readonly seconds: number;
}

export type MeasureOutcome =
  | { readonly kind: 'loss'; readonly blocks: number; /** Mean over these blocks. */ readonly loss: number }
  | { readonly kind: 'invalid'; readonly reason: InvalidReason; readonly detail: string };

/** A candidate with what became of it; exactly one for each id, ids count from 0 in the order of proposal. */
export interface CandidateEvent extends Candidate {
  readonly kind: 'candidate';
}

export interface Candidate {
  readonly id: number;
  readonly generation: number;
  readonly operator: VariationOperator;
  /** Ids of the candidates that it was made of. */
  readonly parents: readonly number[];
  readonly expression: string;
  /** Operations and operands. */
  readonly size: number;
  readonly depth: number;
  readonly outcome: CandidateOutcome;
}

/** How a candidate came about. */
export type VariationOperator =
  | 'seed'
  | 'grow'
  | 'full'
  | 'crossover'
  | 'mutate-operation'
  | 'mutate-operand'
  | 'mutate-subtree'
  | 'insert'
  | 'hoist';

/** `perplexity` is always on the scale of the whole text: where blocks are missing, the dense loss of the text plus the excess on the blocks seen. */
export type CandidateOutcome =
  | { readonly kind: 'full'; readonly perplexity: number }
  | { readonly kind: 'stopped'; readonly rung: number; readonly blocks: number; readonly perplexity: number }
  /** It shares the evaluation of candidate `of`, which ranks the same: by algebra, or by the masks of the probe. */
  | { readonly kind: 'shared'; readonly of: number; readonly by: 'canonical' | 'mask'; readonly perplexity: number }
  | { readonly kind: 'invalid'; readonly reason: InvalidReason; readonly detail: string };

/** A generation is through. */
export interface GenerationEvent {
  readonly kind: 'generation';
  readonly generation: number;
  /** Perplexities of this generation's valid candidates, their mean that of the losses; null where it has none. */
  readonly best: number | null;
  readonly mean: number | null;
  readonly worst: number | null;
  /** Best in full so far, over all generations: its id and perplexity. */
  readonly bestSoFar: { readonly id: number; readonly perplexity: number } | null;
  readonly counts: SearchCounts;
}

/** Over the whole search so far. */
export interface SearchCounts {
  readonly candidates: number;
  readonly invalid: number;
  /** Candidates that shared another's evaluation. */
  readonly duplicates: number;
  readonly stoppedEarly: number;
  readonly fullEvaluations: number;
  /** Work that was done, in units of an evaluation of the whole fitness text. */
  readonly evaluations: number;
}

/** A finalist or a baseline, evaluated as it is written, calibrated as the plan says. */
export interface FinalistEvent {
  readonly kind: 'finalist';
  /** Undefined for a baseline. */
  readonly id?: number;
  readonly metric: string;
  readonly expression: string;
  /** On the fitness text. */
  readonly result?: EvaluationResult;
  /** On the text that the search never saw. */
  readonly test?: EvaluationResult;
  readonly error?: ErrorData;
}

/** A candidate that ended two workers: it is not tried again. */
export interface QuarantinedEvent {
  readonly kind: 'quarantined';
  readonly id: number;
  readonly expression: string;
  readonly error: ErrorData;
}

export interface ResumedEvent {
  readonly kind: 'resumed';
}

export interface PausedEvent {
  readonly kind: 'paused';
}

export interface FinishedEvent {
  readonly kind: 'finished';
  readonly counts: SearchCounts;
  /** Ids of the best metrics, best first; by the finalists' sequential perplexity where there is one. */
  readonly best: readonly number[];
}

export interface FailedEvent {
  readonly kind: 'failed';
  readonly error: ErrorData;
}
