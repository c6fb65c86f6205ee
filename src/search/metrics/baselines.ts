import { operand, operation } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { NamedMetric } from './plan.ts';

const W = operand('W');
const X = operand('X');
const G = operand('G');

/** What every pruning paper compares with: LeCun et al. and Han et al.; Sun et al. 2024; Molchanov et al. 2016; Dong et al. 2024. */
export const BASELINES: readonly NamedMetric[] = [
  { metric: 'magnitude', expression: W },
  { metric: 'wanda', expression: operation('mul', W, operation('sqrt', X)) },
  { metric: 'taylor', expression: operation('mul', W, G) },
  {
    metric: 'pruner-zero',
    expression: operation('mul', operation('abs', operation('mul', W, W)), operation('mms', G)),
  },
];

/** The baselines of a search that names none: those that need no operand which the search does not collect anyway. */
export function defaultBaselines(operands: readonly OperandName[]): readonly NamedMetric[] {
  return BASELINES.filter(({ expression }) => operandsOf(expression).every((name) => operands.includes(name)));
}
