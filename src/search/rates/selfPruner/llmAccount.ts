import type { RateCounts } from '../events.ts';
import type { LlmReply } from './events.ts';
import type { ParsedReply } from './parseReply.ts';

type Tally = Pick<
  RateCounts,
  | 'calls'
  | 'failedCalls'
  | 'listsUsed'
  | 'listsRepaired'
  | 'listsRefused'
  | 'fallbacks'
  | 'promptTokens'
  | 'replyTokens'
  | 'cost'
>;

/** Where nobody was asked. */
export const NO_LLM_COUNTS: Tally = {
  ...{ calls: 0, failedCalls: 0, listsUsed: 0, listsRepaired: 0, listsRefused: 0, fallbacks: 0 },
  ...{ promptTokens: 0, replyTokens: 0, cost: 0 },
};

/** What was asked of the language model so far, what came of it and what it cost. */
export class LlmAccount {
  private readonly tally = { ...NO_LLM_COUNTS };
  private next = 0;

  get counts(): Tally {
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

  read({ lists, refused }: ParsedReply): void {
    for (const { repaired } of lists) this.tally[repaired ? 'listsRepaired' : 'listsUsed']++;
    this.tally.listsRefused += refused.length;
  }

  fellBack(configurations: number): void {
    this.tally.fallbacks += configurations;
  }
}
