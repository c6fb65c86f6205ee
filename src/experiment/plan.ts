import type { Expression } from '../metric/expression.ts';
import type { EvaluationSettings } from './settings.ts';
import type { Sparsity, UnstructuredSparsity } from './sparsity.ts';
import type { RateAllocation, Structure } from './structure.ts';

/**
 * Everything that decides the numbers of a batch of evaluations: one checkpoint, one text, one calibration, and any number
 * of (metric, sparsity) pairs that share them. An experiment of a `.prune` file, a CodeLens and a command line all become
 * plans; the engine takes nothing else.
 */
export interface EvaluationPlan {
  /** Checkpoint folder, absolute. */
  readonly model: string;
  /** Evaluation text, absolute path of a UTF-8 file. */
  readonly text: string;
  /** Calibration text, absolute path; needed by every operand that is not read off the weights alone. */
  readonly calibration?: string;
  /** Empty: only the dense perplexity is evaluated. */
  readonly evaluations: readonly PlannedEvaluation[];
  readonly settings: EvaluationSettings;
}

/** Most evaluations of one plan. */
export const MAX_EVALUATIONS = 100_000;

export type PlannedEvaluation = WeightEvaluation | StructureEvaluation;

/** Single weights are removed, by a metric. */
export interface WeightEvaluation {
  /** Name of the metric as the user wrote it; the expression itself where it has none. */
  readonly metric: string;
  readonly expression: Expression;
  readonly sparsity: Sparsity;
  /** How much of each block goes, where not the same of each; of unstructured sparsity only. */
  readonly rates?: RateAllocation;
}

/** Whole heads, channels and blocks are removed. Scores are those of the dense model (one-shot). */
export interface StructureEvaluation {
  /** Name of the method or metric: `wanda-sp`, `mine`. */
  readonly metric: string;
  readonly structure: Structure;
  /** Share of the decoder blocks' weights; of a mask what it removes. */
  readonly sparsity: UnstructuredSparsity;
}

export function isStructural(evaluation: PlannedEvaluation): evaluation is StructureEvaluation {
  return 'structure' in evaluation;
}
