import { tmpdir } from 'node:os';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { keepStates } from '../../files/stateFiles.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import { recoveryPlanOf, withoutRecovery } from '../../search/recovery/plan.ts';
import { runRecovery } from '../../search/recovery/runRecovery.ts';
import { evaluatePlan } from '../evaluation/evaluatePlan.ts';
import type { EvaluationHooks } from '../evaluation/hooks.ts';
import type { StepHooks } from '../forward/step.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import { RecoverySession } from './recoverySession.ts';

/**
 * Evaluates a plan some of whose evaluations are recovered: what they prune is evaluated with the others, then trained as a run would train it, without
 * a journal, and evaluated again.
 *
 * @param scratchFolder where states and pruned models may lie meanwhile
 * @throws EspalierError as {@link evaluatePlan} and {@link RecoverySession.open}
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
      keep(await recovered(plan, evaluation, evaluation.recovery!, result, hooks, state, scratchFolder), index);
    } catch (error) {
      if (!isItsOwn(error) || !hooks.onFailure) throw error;
      fail(error, index);
    }
  }
  if (results.size === 0) throw failures[0]!;
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

async function recovered(
  plan: EvaluationPlan,
  evaluation: PlannedEvaluation,
  recovery: Recovery,
  before: EvaluationResult,
  hooks: EvaluationHooks,
  state: EngineState,
  scratchFolder: string,
): Promise<EvaluationResult> {
  const { signal, onProgress } = hooks;
  // What a recovery evaluates on its way is nobody's result.
  const steps: StepHooks = { signal, onProgress };
  const folder = await makeTemporaryFolder(scratchFolder, 'espalier-states');
  const session = await RecoverySession.open(
    recoveryPlanOf({ ...plan, evaluations: [evaluation] }, recovery),
    steps,
    state,
    scratchFolder,
  );
  try {
    const kept = { best: 0, last: 0 };
    const outcome = await runRecovery(
      { recovery },
      {
        train: (from, to) => session.train({ from, to, folder }, steps),
        validate: (step) => session.validate({ step, folder }, steps),
        emit: async (event) => {
          if (event.kind === 'trained' && event.state !== null) kept.last = event.to;
          if (event.kind === 'validated' && event.isBest) kept.best = event.step;
          await keepStates(folder, new Set([kept.best, kept.last]));
        },
      },
      { opening: session.opening, signal },
    );
    throwIfCancelled(signal, 'recovering');
    const result = await session.recovered(
      { point: { step: outcome.kept, folder }, before, inputs: planInputs(plan) },
      steps,
    );
    return { ...result, seconds: before.seconds + result.seconds };
  } finally {
    await session.dispose();
    await removeTemporary(folder);
  }
}

/** What is one evaluation's own fault: the others of the plan go on. */
function isItsOwn(error: unknown): error is EspalierError {
  return error instanceof EspalierError && ['settings/invalid', 'evaluation/not-finite', 'corpus/too-short'].includes(error.code);
}
