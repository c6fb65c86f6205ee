import type { Rung } from '../lifecycle/rung.ts';
import type { Expression } from '../../metric/expression.ts';
import type { MeasureOutcome, SearchOpening } from '../lifecycle/events.ts';
import type { LlmReply } from '../llm/events.ts';
import type { LlmRequest } from '../llm/request.ts';
import type { Acknowledged, ProbeOutcome, MetricEvent } from './events.ts';

/**
 * All that a search asks of the world. The loop asks the same questions in the same order for the same plan, whatever the number
 * of workers and whenever the answers come (without generations: for the same answers in the same order); so a run that was interrupted
 * goes on by asking again from the beginning, with answers from the journal as far as it has them, and events that the journal has are
 * not written again.
 */
export interface MetricEffects {
  /** Whether each candidate can rank, which masks it makes, and how far these are from those of another metric; answers in the order of the questions. */
  probe(candidates: readonly Trial[]): Promise<readonly ProbeOutcome[]>;
  /** The loss of each candidate on the blocks of a rung; answers in the order of the questions. */
  measure(candidates: readonly Proposal[], rung: Rung): Promise<readonly MeasureOutcome[]>;
  /** Settles when the event is kept. */
  emit(event: MetricEvent): Promise<void>;
  /** Of a search without generations. */
  readonly singly?: SingleAnswers;
  /** Of a search in which a language model proposes metrics. */
  readonly proposer?: Proposer;
}

/** Questions that nobody waits for the answers of together. */
export interface SingleAnswers {
  /** Asks one thing, and waits for nothing: the answer comes out of {@link next}. */
  ask(question: Question): void;
  /**
   * The next answer, or change of the number of workers, in the order in which they are acknowledged. That order is all that time decides:
   * whoever is given the same once more asks the same once more.
   */
  next(): Promise<Acknowledged>;
}

/** Who proposes formulas, and who can read them. */
export interface Proposer {
  /** What the language model answers. Failures are replies too: nothing that a provider does ends the search. */
  ask(request: LlmRequest): Promise<LlmReply>;
  /** Reads a formula as the language does, which stands above the search. */
  readonly readFormula: ReadFormula;
}

/** The expression that a text is in the language, or in a few words why it is none. Never throws, whatever the text. */
export type ReadFormula = (text: string) => Expression | { readonly problem: string };

export interface Proposal {
  /** Counts from 0 in the order of proposal. The baselines have −1, −2, … in the order of the plan. */
  readonly id: number;
  readonly expression: Expression;
}

/** A proposal, or one of several forms that a candidate may take. */
export interface Trial extends Proposal {
  /** Counts the forms that were tried of one candidate from 0; undefined for the candidate itself. */
  readonly trial?: number;
  /** What its masks are compared with. */
  readonly against?: Expression;
}

/** One thing that a search without generations asks. */
export type Question =
  (Trial & { readonly kind: 'probe' }) | (Proposal & { readonly kind: 'measure'; readonly rung: Rung });

export interface MetricSearchOptions {
  readonly opening: SearchOpening;
  /** Looked at between two questions; the search then fails with the code `cancelled`. */
  readonly signal?: AbortSignal;
}
