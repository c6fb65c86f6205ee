import { LlmAccount, NO_LLM_COUNTS } from '../../llm/account.ts';
import type { ProposalCounts, ProposedEvent } from '../events.ts';

const NO_FORMULAS = { formulasUsed: 0, formulasRejected: 0 };

/** Where nobody was asked yet. */
export const NO_PROPOSAL_COUNTS: ProposalCounts = { ...NO_LLM_COUNTS, ...NO_FORMULAS };

/** What was asked of the language model so far, what came of it and what it cost. */
export class ProposalAccount extends LlmAccount {
  private readonly formulas = { ...NO_FORMULAS };

  override get counts(): ProposalCounts {
    return { ...super.counts, ...this.formulas };
  }

  read({ used, rejected }: Pick<ProposedEvent, 'used' | 'rejected'>): void {
    this.formulas.formulasUsed += used;
    this.formulas.formulasRejected += rejected.length;
  }
}
