import { throwIfCancelled } from '../../base/errors.ts';
import type { EvaluationHooks } from '../engine.ts';
import type { Step } from '../forward/hiddenStream.ts';

export type StepHooks = Pick<EvaluationHooks, 'signal' | 'onProgress'>;

/** Reports progress and lets the process look at its messages after every program run: cancellation arrives there. */
export function stepper({ signal, onProgress }: StepHooks, total: number): Step {
  let done = 0;
  return async (detail) => {
    done++;
    onProgress?.({ stage: 'evaluating', done: Math.min(done, total), total, detail });
    await new Promise(setImmediate);
    throwIfCancelled(signal, 'evaluating');
  };
}
