import { throwIfCancelled } from '../../base/errors.ts';
import type { ModelConfig } from '../families/families.ts';
import type { StepHooks } from '../forward/step.ts';

/** config.json of what was written, and what it means. */
export interface WrittenConfig {
  readonly values: Readonly<Record<string, unknown>>;
  readonly config: ModelConfig;
}

/** Reports progress and lets the process look at its messages: cancellation arrives there. */
export function writingStep({ signal, onProgress }: StepHooks, done: number, total: number): () => Promise<void> {
  return async () => {
    onProgress?.({ stage: 'writing', done, total, detail: `tensor ${done + 1} of ${total}` });
    await new Promise(setImmediate);
    throwIfCancelled(signal, 'exporting');
  };
}
