import type { MetricCandidate, ProbeOutcome, VariationOperator } from './events.ts';
import type { Expression } from '../../metric/expression.ts';
import { canonical } from '../../metric/canonical.ts';
import type { CanonicalForm } from '../../metric/canonical.ts';
import { sizeOf } from '../../metric/measure.ts';
import type { Tuning } from './tuning.ts';

/** A candidate before it is evaluated. */
export interface Proposed {
  readonly id: number;
  readonly generation: number;
  readonly operator: VariationOperator;
  readonly parents: readonly number[];
  /** The request to a language model whose reply it stood in. */
  readonly call?: number;
  readonly expression: Expression;
  readonly canonical: CanonicalForm;
  readonly size: number;
  /** Of one that moves a constant: which, and where to; its expression is a first step until probes have found how far. */
  readonly tuning?: Tuning;
  /** What is known of it from looking for that step. */
  readonly probe?: ProbeOutcome;
}

/** A candidate's expression with what follows from it. */
export function formOf(expression: Expression): Pick<Proposed, 'expression' | 'canonical' | 'size'> {
  return { expression, canonical: canonical(expression), size: sizeOf(expression) };
}

/** A candidate with what became of it. */
export interface Evaluated extends Proposed {
  readonly outcome: MetricCandidate['outcome'];
  /**
   * Mean loss over the whole fitness text in nats per token, estimated where blocks are missing; Infinity for an invalid one.
   * What selection compares takes the size into account, and what is known of the estimates (see population.ts).
   */
  readonly loss: number;
  /** The rung after which it, or the candidate whose evaluation it shares, was stopped; undefined for one that saw the whole text. */
  readonly stoppedAt: number | undefined;
  /** Id of the first candidate that removes the same weights, its own where it is the first. */
  readonly identity: number;
}
