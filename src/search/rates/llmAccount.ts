import type { LlmSettings } from '../../experiment/llm.ts';
import type { LlmReply, RateCounts } from '../../experiment/structureEvents.ts';
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

/** What was asked of the language model so far, what came of it and what it cost. */
export class LlmAccount {
  private readonly tally = {
    ...{ calls: 0, failedCalls: 0, listsUsed: 0, listsRepaired: 0, listsRefused: 0, fallbacks: 0 },
    ...{ promptTokens: 0, replyTokens: 0, cost: 0 },
  };
  private next = 0;

  get counts(): Tally {
    return { ...this.tally };
  }

  /** Number of the request that is begun now. */
  begin(): number {
    return this.next++;
  }

  replied(reply: LlmReply): void {
    if (reply.kind !== 'text') {
      this.tally.failedCalls++;
      return;
    }
    this.tally.calls++;
    this.tally.promptTokens += reply.usage.promptTokens;
    this.tally.replyTokens += reply.usage.replyTokens;
    this.tally.cost += reply.cost;
  }

  read({ lists, refused }: ParsedReply): void {
    for (const { repaired } of lists) this.tally[repaired ? 'listsRepaired' : 'listsUsed']++;
    this.tally.listsRefused += refused.length;
  }

  fellBack(configurations: number): void {
    this.tally.fallbacks += configurations;
  }

  /** Why no request may be begun any more, or undefined. */
  capReached({ tokenCap, costCap }: LlmSettings): string | undefined {
    const { promptTokens, replyTokens, cost } = this.tally;
    if (tokenCap > 0 && promptTokens + replyTokens >= tokenCap) return `the limit of ${tokenCap} tokens is reached`;
    if (costCap > 0 && cost >= costCap) return `the limit of ${costCap} for what may be spent is reached`;
    return undefined;
  }
}
