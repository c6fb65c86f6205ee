import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import { EspalierError } from '../../base/errors.ts';
import { planInputs, withText } from '../../experiment/planInputs.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type { recoveryPlanSchema } from './schema.ts';

export type RecoveryPlan = Immutable<z.infer<typeof recoveryPlanSchema>>;

/**
 * The run that recovers what an evaluation prunes, or the checkpoint as it is.
 *
 * @param plan with one evaluation, or none; a recovery that the evaluation says itself is replaced
 * @throws EspalierError `settings/invalid` for several evaluations, and where nothing is said to train on
 */
export function recoveryPlanOf(
  plan: EvaluationPlan,
  recovery: Recovery,
  more: { readonly name?: string; readonly adapter?: string; readonly test?: string } = {},
): RecoveryPlan {
  const { train, tasks } = plan;
  const [evaluation, ...others] = plan.evaluations.map(withoutRecovery);
  if (others.length > 0) throw refused('one way of pruning', `${others.length + 1}`, 'Choose one of them.');
  if (train === undefined) throw refused('a text to train on', 'none', 'Name one: `train: "text.txt"`, or --train.');
  const { name = evaluation?.metric ?? 'recovery', adapter, test } = more;
  return {
    kind: 'recovery',
    name,
    ...planInputs(withText(plan, 'planning a recovery')),
    train,
    ...(test !== undefined && { test }),
    ...(evaluation && { evaluation }),
    ...(adapter !== undefined && { adapter }),
    ...(tasks && { tasks }),
    recovery,
  };
}

/** What is pruned, and updated, before anything is trained. */
export function withoutRecovery(evaluation: PlannedEvaluation): PlannedEvaluation {
  const { recovery, ...before } = evaluation;
  return recovery ? before : evaluation;
}

function refused(expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'planning a recovery',
    expected,
    actual,
    remedy,
  });
}
