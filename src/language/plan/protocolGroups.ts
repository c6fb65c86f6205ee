import { isStructural } from '../../experiment/planned.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import { protocolGroup } from '../../experiment/protocolGroup.ts';
import type { ProtocolName } from '../../experiment/protocols.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';

/** Magnitude as the protocol compares it, or as is said of all metrics; where that of magnitude itself is said, that stays. */
export function groupedBy(
  protocol: ProtocolName | undefined,
  evaluations: readonly PlannedEvaluation[],
  said?: EvaluationSettings['group'],
): readonly PlannedEvaluation[] {
  if (protocol === undefined) return evaluations;
  return evaluations.map((evaluation) => {
    if (isStructural(evaluation) || evaluation.group !== undefined || !evaluation.expression) return evaluation;
    const own = protocolGroup(protocol, evaluation.expression);
    return own === undefined ? evaluation : { ...evaluation, group: said ?? own };
  });
}
