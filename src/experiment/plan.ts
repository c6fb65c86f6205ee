import type { Expression } from '../metric/expression.ts';
import type { EvaluationSettings } from './settings.ts';
import type { Sparsity } from './sparsity.ts';

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

export interface PlannedEvaluation {
  /** Name of the metric as the user wrote it; the expression itself where it has none. */
  readonly metric: string;
  readonly expression: Expression;
  readonly sparsity: Sparsity;
}
