import { isStructural } from '../../experiment/planned.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import { protocolOf } from '../../experiment/protocols.ts';
import type { ProtocolName } from '../../experiment/protocols.ts';
import { canonical } from '../../metric/canonical.ts';
import { operand } from '../../metric/expression.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { Expression } from '../../metric/expression.ts';

/** Magnitude as the protocol compares it, or as is said of all metrics; where that of magnitude itself is said, that stays. */
export function groupedBy(
  protocol: ProtocolName | undefined,
  evaluations: readonly PlannedEvaluation[],
  said?: EvaluationSettings['group'],
): readonly PlannedEvaluation[] {
  const own = protocol === undefined ? undefined : protocolOf(protocol).magnitude?.group;
  if (own === undefined) return evaluations;
  const group = said ?? own;
  return evaluations.map((evaluation) =>
    isStructural(evaluation) || evaluation.group !== undefined || !isMagnitude(evaluation.expression)
      ? evaluation
      : { ...evaluation, group },
  );
}

/** Whether a metric ranks as the weights' magnitudes do, however it is written. */
function isMagnitude(expression: Expression): boolean {
  return canonical(expression).key === MAGNITUDE;
}

const MAGNITUDE = canonical(operand('W')).key;
