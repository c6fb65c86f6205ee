import { EspalierError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { LlmUsage } from '../search/llm/events.ts';
import type { LlmRole } from '../search/llm/roles.ts';

/** One that a search asks, whoever provides it. */
export interface LanguageModel {
  /**
   * Resolves with the whole reply. Aborting the signal ends the request at once.
   *
   * @throws EspalierError `llm/…`, or `cancelled`; no error says anything secret. {@link LostReply} where a run is replayed
   */
  complete(question: Question, signal: AbortSignal): Promise<Completion>;
}

export interface Question {
  readonly prompt: string;
  readonly role: LlmRole;
  readonly generation: number;
  /** Equal for all tries of one question, and different for any two questions. */
  readonly idempotencyKey: string;
  /** Whether it may be tried once more after tries that have cost as much; it may where nothing is said. */
  readonly hasRoom?: (spent: LlmUsage | undefined) => boolean;
}

export interface Completion {
  readonly text: string;
  /** Tries that were broken off after the model had begun are counted, too. */
  readonly usage: LlmUsage;
  /** What the provider says that it is; what was asked for, where it says nothing. */
  readonly model: string;
}

export type LlmErrorCode = Extract<ErrorCode, `llm/${string}`>;

/** A request that failed, with what matters for trying it again and for what it cost. */
export class LanguageModelError extends EspalierError {
  readonly again: Again;
  /** What the provider may charge for nevertheless. */
  readonly usage: LlmUsage | undefined;

  constructor(about: {
    readonly code: LlmErrorCode;
    readonly expected: string;
    readonly actual: string;
    readonly remedy: string;
    readonly again?: Again;
    readonly usage?: LlmUsage | undefined;
  }) {
    const { again = 'never', usage, ...data } = about;
    // No cause: it would hold what is left out here, headers for one.
    super({ ...data, operation: 'asking the language model' });
    this.again = again;
    this.usage = usage;
  }
}

/** A replayed reply that was lost when its process ended: the search takes it as that again. */
export class LostReply extends Error {}

/** Whether trying again can help: `soon`, after a pause; or not before so many seconds have passed. */
export type Again = 'never' | 'soon' | { readonly seconds: number };

/** For what providers do not count, or have not counted yet: rather too many than too few, since limits are kept by it. */
export function estimateUsage(prompt: string, reply: string): LlmUsage {
  return { promptTokens: estimateTokens(prompt), replyTokens: estimateTokens(reply), estimated: true };
}

/** Some tokenizers have a token for each digit; words have one for four letters or so. */
export function estimateTokens(text: string): number {
  // Letter by letter: a regular expression may run out of stack on a reply of megabytes without end.
  let inWords = 0;
  for (let i = 0; i < text.length; i++) if (isOfWords(text.charCodeAt(i))) inWords++;
  return text.length - inWords + Math.ceil(inWords / LETTERS_OF_TOKEN);
}

/** A letter of ASCII, or what stands between words. */
function isOfWords(unit: number): boolean {
  const lower = unit | 0x20;
  if (unit < 0x80) return (lower >= 0x61 && lower <= 0x7a) || unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return BLANK.test(String.fromCharCode(unit));
}

const BLANK = /\s/;

const LETTERS_OF_TOKEN = 4;

export function addUsage(a: LlmUsage | undefined, b: LlmUsage | undefined): LlmUsage | undefined {
  if (!a || !b) return a ?? b;
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    replyTokens: a.replyTokens + b.replyTokens,
    ...((a.estimated ?? b.estimated) && { estimated: true }),
  };
}
