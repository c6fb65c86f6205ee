import type { Step } from '../forward/step.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import type { GradientInputs } from '../gradient/collectGradients.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import type { InputStatistics, RowOperand } from '../pruning/inputStatistics.ts';
import type { ModelScores } from './componentScores.ts';

/** The dense model as a scorer looks at it. */
export interface ScoringInputs extends GradientInputs {
  readonly weights: BlockWeights;
  /** Of every linear layer's input, block by block and by the layer's name, where a scorer asks for {@link ComponentScorer.rows}. */
  readonly statistics?: readonly ReadonlyMap<string, InputStatistics>[] | undefined;
  /** The operand G, where a scorer asks for it. */
  readonly gradients?: GradientOperands | undefined;
}

/** A way to score the components of a dense model. Statistics are collected once for all scorers of a plan. */
export interface ComponentScorer {
  /** For messages: `wanda-sp`, or the metric's name. */
  readonly name: string;
  /** Operands that are rows: their statistics have to be there. */
  readonly rows: readonly RowOperand[];
  /** Whether the operand G has to be there. */
  readonly usesGradient: boolean;
  /** Whether {@link score} takes gradients of its own, for which the blocks' inputs are kept. */
  readonly goesBackwards: boolean;
  /** Steps of {@link score}, for progress. */
  readonly countSteps: (model: ScoringInputs) => number;
  /** @throws EspalierError `metric/invalid-score`, naming the layer, where the score cannot rank */
  readonly score: (model: ScoringInputs, step: Step) => Promise<ModelScores>;
}
