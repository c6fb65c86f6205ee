import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { LlmReply } from './events.ts';
import type { llmCountsSchema } from './schema.ts';

/** What was asked of a language model, and what it cost. */
export type LlmCounts = Immutable<z.infer<typeof llmCountsSchema>>;

/** Where nobody was asked. */
export const NO_LLM_COUNTS: LlmCounts = {
  ...{ calls: 0, failedCalls: 0, fallbacks: 0 },
  ...{ promptTokens: 0, replyTokens: 0, cost: 0 },
};

/** What was asked of the language model so far, and what it cost. */
export class LlmAccount {
  private readonly tally = { ...NO_LLM_COUNTS };
  private next = 0;

  get counts(): LlmCounts {
    return { ...this.tally };
  }

  /** Number of the request that is begun now. */
  begin(): number {
    return this.next++;
  }

  replied(reply: LlmReply): void {
    if (reply.kind === 'text') this.tally.calls++;
    // Beyond the cap nothing was asked.
    else if (reply.kind === 'lost' || reply.error.code !== 'llm/cap') this.tally.failedCalls++;
    if (reply.kind === 'lost' || reply.usage === undefined) return;
    this.tally.promptTokens += reply.usage.promptTokens;
    this.tally.replyTokens += reply.usage.replyTokens;
    this.tally.cost += reply.cost ?? 0;
  }

  fellBack(candidates: number): void {
    this.tally.fallbacks += candidates;
  }
}
