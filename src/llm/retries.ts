import { cancelledError } from '../base/errors.ts';
import type { LlmUsage } from '../search/llm/events.ts';
import type { LlmSettings } from '../search/llm/settings.ts';
import { addUsage, LanguageModelError } from './languageModel.ts';
import type { LanguageModel, LlmErrorCode } from './languageModel.ts';

/** The part of a clock that waiting needs. */
export interface Timer {
  /** Calls back once, after so many milliseconds; returns what undoes it. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** Seconds before the second try; doubles from try to try. */
const FIRST_PAUSE = 0.5;
const LONGEST_PAUSE = 30;

/**
 * Asks again what failed on the way, with growing pauses, or after the time that the provider has named. A provider that wants to be
 * left alone for longer than a request may take is not waited for, and what failed tries have cost may leave nothing for another one.
 */
export function withRetries(
  model: LanguageModel,
  { retries, timeout }: Pick<LlmSettings, 'retries' | 'timeout'>,
  timer: Timer,
): LanguageModel {
  return {
    complete: async (question, signal) => {
      let spent: LlmUsage | undefined;
      for (let attempt = 0; ; attempt++) {
        try {
          const { usage, ...completion } = await model.complete(question, signal);
          return { ...completion, usage: addUsage(spent, usage)! };
        } catch (error) {
          if (!(error instanceof LanguageModelError)) throw error;
          spent = addUsage(spent, error.usage);
          const pause = pauseAfter(error, attempt);
          const mayAgain = attempt < retries && pause !== undefined && pause <= Math.max(timeout, LONGEST_PAUSE);
          if (!mayAgain || question.hasRoom?.(spent) === false) {
            const { code, expected, actual, remedy } = error.data;
            const tries = attempt === 0 ? '' : `, the last of ${attempt + 1} tries`;
            const limit = mayAgain ? '; the limit on tokens or money leaves no room for another try' : '';
            throw new LanguageModelError({
              code: code as LlmErrorCode,
              expected,
              actual: `${actual}${tries}${limit}`,
              remedy,
              usage: spent,
            });
          }
          await wait(pause * 1000, timer, signal);
        }
      }
    },
  };
}

/** Seconds; undefined where trying again is of no use. */
function pauseAfter({ again }: LanguageModelError, attempt: number): number | undefined {
  if (again === 'never') return undefined;
  const ours = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
  return again === 'soon' ? ours : Math.max(ours, again.seconds);
}

function wait(milliseconds: number, timer: Timer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      undo();
      reject(cancelledError('asking the language model'));
    };
    const undo = timer.after(milliseconds, () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}
