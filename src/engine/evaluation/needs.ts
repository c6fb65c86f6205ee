import { isStructural, needsCalibration } from '../../experiment/planned.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import { isRowOperand, type RowOperand } from '../pruning/inputStatistics.ts';
import type { CountedVariant } from './sweep.ts';

/** What samples are needed for. */
export interface SampleNeeds {
  readonly calibration: boolean;
  /** The operand G. */
  readonly gradients: boolean;
}

/** Whether the operand G has to be there. */
export function needsGradient(evaluation: PlannedEvaluation): boolean {
  const expression = expressionOf(evaluation);
  return expression !== undefined && operandsOf(expression).includes('G');
}

/** What samples evaluations need. */
export function sampleNeeds(evaluations: readonly PlannedEvaluation[]): SampleNeeds {
  return { calibration: evaluations.some(needsCalibration), gradients: evaluations.some(needsGradient) };
}

/** Operands that are rows, of all metrics that rank single weights. */
export function rowsOfWeights(evaluations: readonly PlannedEvaluation[]): readonly RowOperand[] {
  return evaluations.flatMap((evaluation) =>
    isStructural(evaluation) ? [] : operandsOf(evaluation.expression).filter(isRowOperand),
  );
}

/** What an evaluation adds to the steps of a sweep. */
export function stepsOf(evaluation: PlannedEvaluation): CountedVariant {
  return isStructural(evaluation) ? 'removed' : { rows: rowsOfWeights([evaluation]) };
}

function expressionOf(evaluation: PlannedEvaluation): Expression | undefined {
  if (!isStructural(evaluation)) return evaluation.expression;
  const { structure } = evaluation;
  return structure.kind === 'scored' && structure.score.kind === 'metric' ? structure.score.expression : undefined;
}
