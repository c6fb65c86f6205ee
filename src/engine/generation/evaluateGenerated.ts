import { canonicalJson } from '../../base/canonicalJson.ts';
import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { PlannedTask, TaskResult } from '../../experiment/taskSchema.ts';
import type { Rights } from '../../tasks/judge.ts';
import { taskOf } from '../../tasks/taskOf.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { EvaluationHooks } from '../evaluation/hooks.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { StepHooks } from '../forward/step.ts';
import { answerTask } from './generatedTask.ts';
import { ServedModel } from './servedModel.ts';

/** How a plan is evaluated whose tasks all have choices. */
type Evaluate = (
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  state: EngineState,
) => Promise<readonly EvaluationResult[]>;

/** Whether a model's answers to a task are generated. */
export function isGenerated(planned: PlannedTask): boolean {
  return taskOf(planned).known === 'gsm8k';
}

/** The plan without the tasks whose answers are generated. */
export function withoutGenerated(plan: EvaluationPlan): EvaluationPlan {
  const { tasks, ...without } = plan;
  const scored = tasks?.list.filter((planned) => !isGenerated(planned)) ?? [];
  return { ...without, ...(tasks && scored.length > 0 && { tasks: { ...tasks, list: scored } }) };
}

/** A result with what was generated, too: its tasks in the order of the plan, and a fingerprint that stands for all of them. */
export function withGenerated<Result extends EvaluationResult>(
  result: Result,
  list: readonly PlannedTask[],
  generated: readonly TaskResult[],
): Result & { readonly tasks: readonly TaskResult[] } {
  const [others, own] = [(result.tasks ?? []).values(), generated.values()];
  const tasks = list.map((planned) => (isGenerated(planned) ? own : others).next().value);
  const fingerprint = sha256(canonicalJson([result.fingerprint, ...generated.map((task) => task.fingerprint)]));
  return { ...result, fingerprint, tasks: tasks.filter((task) => task !== undefined) };
}

/**
 * Evaluates a plan some of whose tasks want generated answers: everything else as ever; then the dense model and each that was pruned is opened and
 * answers, one after the other. What an evaluation makes of the model is made once more for that, and trained once more where it is recovered:
 * a sweep has one block of it at a time, and answers need all.
 *
 * @throws EspalierError as `evaluate`, `answerTask` and `ServedModel.open`; of one that was pruned through `onFailure`, and only without that hook, or
 * where none is left, thrown
 */
export async function evaluateGenerated(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  state: EngineState,
  evaluate: Evaluate,
): Promise<readonly EvaluationResult[]> {
  const { tasks } = plan;
  const list = tasks?.list ?? [];
  const before = new Map<number, EvaluationResult>();
  await evaluate(
    withoutGenerated(plan),
    {
      ...hooks,
      onResult: (result, index) => {
        before.set(index, result);
      },
    },
    state,
  );
  const steps: StepHooks = { signal: hooks.signal, onProgress: hooks.onProgress };
  const answers = async (
    index: number | undefined,
    dense?: readonly Rights[],
  ): Promise<{ readonly results: TaskResult[]; readonly rights: Rights[] }> => {
    const evaluations = index === undefined ? [] : [plan.evaluations[index]!];
    const model = await ServedModel.open({ ...planInputs(plan), evaluations }, steps, state);
    try {
      const [results, rights]: [TaskResult[], Rights[]] = [[], []];
      for (const [place, planned] of list.filter(isGenerated).entries()) {
        const answered = await answerTask(planned, tasks!, model, steps, dense?.[place]);
        results.push(answered.result);
        rights.push(answered.rights);
      }
      return { results, rights };
    } finally {
      await model.dispose();
    }
  };
  const dense = await answers(undefined);
  const results: EvaluationResult[] = [];
  const failures: EspalierError[] = [];
  for (const [index, result] of [...before].sort(([a], [b]) => a - b)) {
    const own = plan.evaluations.length === 0 ? dense : await answers(index, dense.rights).catch(ofItself);
    if (own instanceof EspalierError) {
      if (!hooks.onFailure) throw own;
      failures.push(own);
      hooks.onFailure(own.data, index);
      continue;
    }
    const told = withGenerated(result, list, own.results);
    results.push(told);
    hooks.onResult?.(told, index);
  }
  if (results.length === 0) throw failures[0]!;
  return results;
}

/** What the dense model has answered another may fail at: the others of the plan go on. */
function ofItself(error: unknown): EspalierError {
  if (error instanceof EspalierError && error.code !== 'cancelled') return error;
  throw error;
}
