import { cancelledError, EspalierError, throwIfCancelled } from '../base/errors.ts';
import type { LlmSettings } from '../search/llm/settings.ts';
import type { LlmUsage } from '../search/llm/events.ts';
import { Deadline } from './deadline.ts';
import { estimateUsage, LanguageModelError } from './languageModel.ts';
import type { LanguageModel, LlmErrorCode } from './languageModel.ts';
import type { Timer } from './retries.ts';

/** Asks the editor. The signal says that the answer is not waited for any more. */
type AskEditor = (
  question: {
    /** Family of the model, empty for any. */
    readonly llm: string;
    readonly prompt: string;
    readonly temperature: number;
    readonly replyTokens: number;
  },
  signal: AbortSignal,
) => Promise<{ readonly text: string; readonly usage: LlmUsage; readonly model: string }>;

/** The editor's language model, by the editor's own leave. */
export function hostModel(ask: AskEditor, settings: LlmSettings, timer: Timer): LanguageModel {
  return {
    complete: async ({ prompt }, signal) => {
      throwIfCancelled(signal, 'asking the language model');
      const { llm, temperature, replyTokens, timeout } = settings;
      const deadline = new Deadline(timer, timeout * 1000, signal);
      // An editor that does not say that it has stopped is not waited for.
      const over = new Promise<never>((_, reject) => {
        deadline.signal.addEventListener('abort', () => {
          reject(signal.aborted ? cancelledError('asking the language model') : timeoutError(settings, prompt));
        });
      });
      try {
        const asked = ask({ llm, prompt, temperature, replyTokens }, deadline.signal);
        return await Promise.race([over, asked]);
      } catch (thrown) {
        throw asLanguageModelError(thrown);
      } finally {
        deadline.clear();
      }
    },
  };
}

/** Failures of the editor's model that another try may mend. */
const PASSING: ReadonlySet<string> = new Set<LlmErrorCode>(['llm/unreachable', 'llm/rate-limited', 'llm/timeout']);

function asLanguageModelError(thrown: unknown): unknown {
  if (!(thrown instanceof EspalierError) || thrown instanceof LanguageModelError) return thrown;
  const { code, expected, actual, remedy } = thrown.data;
  if (!code.startsWith('llm/')) return thrown;
  const again = PASSING.has(code) ? 'soon' : 'never';
  return new LanguageModelError({ code: code as LlmErrorCode, expected, actual, remedy, again });
}

function timeoutError({ timeout }: LlmSettings, prompt: string): LanguageModelError {
  return new LanguageModelError({
    code: 'llm/timeout',
    expected: `a reply of the editor’s language model within ${timeout} s`,
    actual: 'none so far',
    remedy: 'Allow more time with the setting timeout, and look whether the editor asks for your consent.',
    again: 'soon',
    usage: estimateUsage(prompt, ''),
  });
}
