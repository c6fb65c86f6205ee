import { throwIfCancelled } from '../../base/errors.ts';
import type { EvaluationHooks } from '../engine.ts';
import type { Step } from '../forward/hiddenStream.ts';

/** Reports progress and lets the process look at its messages after every program run: cancellation arrives there. */
export function stepper({ signal, onProgress }: Pick<EvaluationHooks, 'signal' | 'onProgress'>, total: number): Step {
  let done = 0;
  return async (detail) => {
    done++;
    onProgress?.({ stage: 'evaluating', done: Math.min(done, total), total, detail });
    await new Promise(setImmediate);
    throwIfCancelled(signal, 'evaluating');
  };
}
