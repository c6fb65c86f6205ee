import { LlmAccount, NO_LLM_COUNTS } from '../../llm/account.ts';
import type { RateCounts } from '../events.ts';
import type { ParsedReply } from './parseReply.ts';

type ListCounts = Pick<RateCounts, 'listsUsed' | 'listsRepaired' | 'listsRefused'>;

const NO_LISTS: ListCounts = { listsUsed: 0, listsRepaired: 0, listsRefused: 0 };

/** Where nobody was asked. */
export const NO_LIST_COUNTS = { ...NO_LLM_COUNTS, ...NO_LISTS };

/** What was asked of the language model so far, what came of it and what it cost. */
export class ListAccount extends LlmAccount {
  private readonly lists = { ...NO_LISTS };

  override get counts(): typeof NO_LIST_COUNTS {
    return { ...super.counts, ...this.lists };
  }

  read({ lists, refused }: ParsedReply): void {
    for (const { repaired } of lists) this.lists[repaired ? 'listsRepaired' : 'listsUsed']++;
    this.lists.listsRefused += refused.length;
  }
}
