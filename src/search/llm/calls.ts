import type { FallbackEvent, LlmAskedEvent, LlmEvent, LlmReply, LlmUsage } from './events.ts';
import type { LlmCounts } from './account.ts';

/** A request to the language model, without the texts. */
export interface LlmCall extends Omit<LlmAskedEvent, 'kind' | 'prompt'> {
  /** Undefined while it is waited for. */
  readonly reply?: LlmCallReply;
  readonly seconds?: number;
}

export type LlmCallReply =
  | { readonly kind: 'text'; readonly usage: LlmUsage; readonly cost: number; readonly model: string }
  | Exclude<LlmReply, { readonly kind: 'text' }>;

/** What the state of a search has of its language model, while it grows. */
export interface GrowingCalls {
  readonly calls: LlmCall[];
  readonly fallbacks: FallbackEvent[];
}

/** @param counts those of the state; of fallbacks they have what the last generation said */
export function foldLlmEvent(
  { calls, fallbacks }: GrowingCalls,
  counts: { -readonly [Name in keyof LlmCounts]: LlmCounts[Name] },
  event: LlmEvent,
): void {
  if (event.kind === 'llm-asked') {
    const { call, generation, role, attempt, wanted } = event;
    calls.push({ call, generation, role, attempt, wanted });
    return;
  }
  if (event.kind === 'fallback') {
    fallbacks.push(event);
    return;
  }
  const { call, reply, seconds } = event;
  const place = calls.findLastIndex((asked) => asked.call === call);
  if (place !== -1) calls[place] = { ...calls[place]!, reply: withoutText(reply), seconds };
  if (reply.kind === 'text') counts.calls++;
  // Beyond the cap nothing was asked.
  else if (reply.kind === 'lost' || reply.error.code !== 'llm/cap') counts.failedCalls++;
  if (reply.kind === 'lost') return;
  counts.promptTokens += reply.usage?.promptTokens ?? 0;
  counts.replyTokens += reply.usage?.replyTokens ?? 0;
  counts.cost += reply.cost ?? 0;
}

function withoutText(reply: LlmReply): LlmCallReply {
  if (reply.kind !== 'text') return reply;
  const { kind, usage, cost, model } = reply;
  return { kind, usage, cost, model };
}
