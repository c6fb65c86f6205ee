import { cancelledError, EspalierError } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { LlmUsage } from '../search/rates/events.ts';
import type { LlmSettings } from '../search/rates/llm.ts';
import { Deadline } from './deadline.ts';
import { estimateUsage, LanguageModelError } from './languageModel.ts';
import type { Completion, LanguageModel, LlmErrorCode } from './languageModel.ts';
import type { Timer } from './retries.ts';

/** What the editor is asked; it answers with the same call. */
export interface HostQuestion {
  readonly call: number;
  /** Family of the model, empty for any. */
  readonly llm: string;
  readonly prompt: string;
  readonly temperature: number;
  readonly replyTokens: number;
}

export type HostReply =
  | { readonly kind: 'text'; readonly text: string; readonly usage: LlmUsage; readonly model: string }
  | { readonly kind: 'failed'; readonly error: ErrorData };

/** The way to the editor. */
export interface HostLink {
  ask(question: HostQuestion): void;
  /** The answer to this call is not waited for any more. */
  cancel(call: number): void;
}

/** Questions that the editor has not answered yet, of all searches of a process. Nothing waits in a request of the editor’s. */
export class HostQuestions {
  private readonly waiting = new Map<number, (reply: HostReply) => void>();
  private calls = 0;

  /** What the editor has answered; a reply that nobody waits for (any more) is dropped. */
  replied(call: number, reply: HostReply): void {
    this.waiting.get(call)?.(reply);
  }

  /** The editor's language model, by the editor's own leave. */
  model(link: HostLink, settings: LlmSettings, timer: Timer): LanguageModel {
    return {
      complete: async ({ prompt }, signal) => {
        if (signal.aborted) throw cancelledError('asking the language model');
        const call = this.calls++;
        const deadline = new Deadline(timer, settings.timeout * 1000, signal);
        try {
          const reply = await new Promise<HostReply>((resolve, reject) => {
            deadline.signal.addEventListener('abort', () => {
              link.cancel(call);
              reject(signal.aborted ? cancelledError('asking the language model') : timeoutError(settings, prompt));
            });
            this.waiting.set(call, resolve);
            const { llm, temperature, replyTokens } = settings;
            link.ask({ call, llm, prompt, temperature, replyTokens });
          });
          return completionOf(reply);
        } finally {
          this.waiting.delete(call);
          deadline.clear();
        }
      },
    };
  }
}

/** Failures of the editor's model that another try may mend. */
const PASSING: ReadonlySet<string> = new Set<LlmErrorCode>(['llm/unreachable', 'llm/rate-limited', 'llm/timeout']);

function completionOf(reply: HostReply): Completion {
  if (reply.kind === 'text') {
    const { text, usage, model } = reply;
    return { text, usage, model };
  }
  const { code, operation, expected, actual, remedy } = reply.error;
  if (!code.startsWith('llm/')) throw new EspalierError({ code, operation, expected, actual, remedy });
  throw new LanguageModelError({
    code: code as LlmErrorCode,
    ...{ expected, actual, remedy },
    again: PASSING.has(code) ? 'soon' : 'never',
  });
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
