import { EspalierError, toErrorData } from '../base/errors.ts';
import type { EventParams, RequestParams } from './requests.ts';

/** What the editor's language model said. */
export type LanguageModelAnswer = Omit<
  Extract<RequestParams<'languageModelReplied'>['reply'], { readonly kind: 'text' }>,
  'kind'
>;

/** Asks the editor's language model; the signal says that nobody waits for the answer any more. */
export type AskLanguageModel = (
  question: EventParams<'languageModelAsked'>,
  signal: AbortSignal,
) => Promise<LanguageModelAnswer>;

/** The questions to the editor's language model that are under way: each is answered once, unless nobody waits for it any more. */
export class LanguageModelQuestions {
  private readonly open = new Map<number, { readonly token: number; readonly controller: AbortController }>();
  private readonly reply: (params: RequestParams<'languageModelReplied'>) => void;

  constructor(reply: (params: RequestParams<'languageModelReplied'>) => void) {
    this.reply = reply;
  }

  /** @param ask undefined where the editor has none */
  async asked(question: EventParams<'languageModelAsked'>, ask: AskLanguageModel | undefined): Promise<void> {
    const { call, token } = question;
    const controller = new AbortController();
    this.open.set(call, { token, controller });
    let reply: RequestParams<'languageModelReplied'>['reply'];
    try {
      if (!ask) throw noLanguageModel();
      reply = { kind: 'text', ...(await ask(question, controller.signal)) };
    } catch (error) {
      reply = { kind: 'failed', error: toErrorData(error, 'asking the editor’s language model') };
    }
    if (this.open.delete(call)) this.reply({ call, reply });
  }

  cancelled(call: number): void {
    const question = this.open.get(call);
    this.open.delete(call);
    question?.controller.abort();
  }

  /** The search that asked has ended. */
  ended(token: number): void {
    for (const [call, question] of this.open) if (question.token === token) this.cancelled(call);
  }
}

function noLanguageModel(): EspalierError {
  return new EspalierError({
    code: 'llm/unreachable',
    operation: 'asking the editor’s language model',
    expected: 'an editor that has one',
    actual: 'none',
    remedy: 'Start the search in an editor with a language model, or choose another provider.',
  });
}
