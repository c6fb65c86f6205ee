import { tmpdir } from 'node:os';
import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { withText } from '../../experiment/planInputs.ts';
import { requirePerplexity } from '../../experiment/resultSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { recoveryPlanOf, withoutRecovery } from '../../search/recovery/plan.ts';
import { taskDocuments } from '../scoring/taskResults.ts';
import type { RecoveredTasks } from './recoverySession.ts';
import { evaluatePlan } from '../evaluation/evaluatePlan.ts';
import type { EvaluationHooks } from '../evaluation/hooks.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import { judgedTasks } from './judgedChoices.ts';
import { recover } from './recover.ts';

/**
 * Evaluates a plan some of whose evaluations are recovered: what they prune is evaluated with the others, then trained as a run would train it, without
 * a journal, and evaluated again.
 *
 * @param scratchFolder where states and pruned models may lie meanwhile
 * @throws EspalierError as {@link evaluatePlan} and {@link recover}
 */
export async function evaluateRecovered(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  state: EngineState,
  scratchFolder: string = tmpdir(),
): Promise<readonly EvaluationResult[]> {
  const results = new Map<number, EvaluationResult>();
  const failures: EspalierError[] = [];
  const keep = (result: EvaluationResult, index: number): void => {
    results.set(index, result);
    hooks.onResult?.(result, index);
  };
  const fail = (error: EspalierError, index: number): void => {
    failures.push(error);
    hooks.onFailure?.(error.data, index);
  };
  const before = new Map<number, EvaluationResult>();
  await evaluatePlan(
    { ...plan, evaluations: plan.evaluations.map(withoutRecovery) },
    {
      ...hooks,
      // Of what is recovered the documents after it count.
      onTaskDocument: (document, index) => {
        if (!plan.evaluations[index]?.recovery) hooks.onTaskDocument?.(document, index);
      },
      onResult: (result, index) => {
        if (plan.evaluations[index]?.recovery) before.set(index, result);
        else keep(result, index);
      },
      ...(hooks.onFailure && {
        onFailure: (data, index) => {
          fail(new EspalierError(data), index);
        },
      }),
    },
    state,
  ).catch((error: unknown) => {
    // Where all have failed, each has been told of; without anybody to tell the first ends it.
    if (failures.length < plan.evaluations.length) throw error;
  });
  for (const [index, result] of before) {
    const evaluation = plan.evaluations[index]!;
    try {
      const recovery = recoveryPlanOf({ ...plan, evaluations: [evaluation] }, evaluation.recovery!);
      let found: RecoveredTasks | undefined;
      const recovered = await recover(
        { plan: recovery, inputs: withText(plan, 'recovering'), before: requirePerplexity(result) },
        hooks,
        state,
        scratchFolder,
        plan.tasks &&
          (async (session, point) => {
            found = await session.tasks(point, plan.tasks!, hooks);
          }),
      );
      for (const document of found ? taskDocuments(found.opened, found.outcome) : []) {
        hooks.onTaskDocument?.(document, index);
      }
      keep({ ...recovered, ...(found && { tasks: judgedTasks(found, plan, result, state) }) }, index);
    } catch (error) {
      if (!isItsOwn(error) || !hooks.onFailure) throw error;
      fail(error, index);
    }
  }
  if (results.size === 0) throw failures[0]!;
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** What is one evaluation's own fault: the others of the plan go on. */
function isItsOwn(error: unknown): error is EspalierError {
  return (
    error instanceof EspalierError &&
    ['settings/invalid', 'evaluation/not-finite', 'corpus/too-short'].includes(error.code)
  );
}
