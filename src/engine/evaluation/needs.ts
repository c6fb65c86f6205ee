import { isStructural } from '../../experiment/planned.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import { operandsOf } from '../../metric/measure.ts';
import { isRowOperand, type RowOperand } from '../pruning/inputStatistics.ts';
import type { CountedVariant } from './sweep.ts';

/** Operands that are rows, of all metrics that rank single weights. */
export function rowsOfWeights(evaluations: readonly PlannedEvaluation[]): readonly RowOperand[] {
  return evaluations.flatMap((evaluation) =>
    isStructural(evaluation) || !evaluation.expression ? [] : operandsOf(evaluation.expression).filter(isRowOperand),
  );
}

/** What an evaluation adds to the steps of a sweep. */
export function stepsOf(evaluation: PlannedEvaluation): CountedVariant {
  if (isStructural(evaluation)) return evaluation.update ? 'refitted' : 'removed';
  return { rows: rowsOfWeights([evaluation]), update: evaluation.update };
}
