import { EspalierError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { LlmRole, LlmUsage } from '../experiment/llm.ts';

/** One that a search asks, whoever provides it. */
export interface LanguageModel {
  /**
   * Resolves with the whole reply. Aborting the signal ends the request at once.
   *
   * @throws EspalierError `llm/…`, or `cancelled`; no error says anything secret
   */
  complete(question: Question, signal: AbortSignal): Promise<Completion>;
}

export interface Question {
  readonly prompt: string;
  readonly role: LlmRole;
  readonly generation: number;
  /** Equal for all tries of one question, and different for any two questions. */
  readonly idempotencyKey: string;
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

/** Whether trying again can help: `soon`, after a pause; or not before so many seconds have passed. */
export type Again = 'never' | 'soon' | { readonly seconds: number };

/** UTF-16 units of a token: texts that are mostly decimals have short ones. */
const TOKEN_LENGTH = 3;

/** For providers that do not say what they count. */
export function estimateUsage(prompt: string, reply: string): LlmUsage {
  return {
    promptTokens: Math.ceil(prompt.length / TOKEN_LENGTH),
    replyTokens: Math.ceil(reply.length / TOKEN_LENGTH),
    estimated: true,
  };
}

export function addUsage(a: LlmUsage | undefined, b: LlmUsage | undefined): LlmUsage | undefined {
  if (!a || !b) return a ?? b;
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    replyTokens: a.replyTokens + b.replyTokens,
    ...((a.estimated ?? b.estimated) && { estimated: true }),
  };
}
