import { throwIfCancelled } from '../../base/errors.ts';
import type { EvaluationProgress } from '../../experiment/resultSchema.ts';
import type { Step, StepHooks } from '../forward/step.ts';

/** Reports progress and lets the process look at its messages after every program run: cancellation arrives there. */
export function stepper(hooks: StepHooks, total: number): Step {
  return stagedStepper(hooks, total)('evaluating');
}

/** Steps of several stages that are counted together. */
export function stagedStepper(
  { signal, onProgress }: StepHooks,
  total: number,
): (stage: EvaluationProgress['stage']) => Step {
  let done = 0;
  const pause = async (): Promise<void> => {
    await new Promise(setImmediate);
    throwIfCancelled(signal, 'evaluating');
  };
  return (stage) => {
    const step = (detail: string): Promise<void> => {
      done++;
      onProgress?.({ stage, done: Math.min(done, total), total, detail });
      return pause();
    };
    return Object.assign(step, { pause });
  };
}
