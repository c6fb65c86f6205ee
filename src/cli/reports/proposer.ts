import type { LlmSettings } from '../../search/llm/settings.ts';

/** Who proposes, for a person. @param otherwise who does where nobody is set up */
export function proposer(llm: LlmSettings, otherwise: string): string {
  switch (llm.provider) {
    case 'none':
      return `${otherwise}: no language model is set up (--provider)`;
    case 'openai':
      return `${llm.llm}${llm.endpoint === '' ? '' : ` at ${llm.endpoint}`}`;
    case 'vscode':
      return `the editor’s language model${llm.llm === '' ? '' : ` ${llm.llm}`}`;
    case 'replay':
      return `the replies of run ${llm.replay}`;
  }
}

/** Tokens, and money where there are prices. */
export function spentWords(counts: {
  readonly promptTokens: number;
  readonly replyTokens: number;
  readonly cost: number;
}): string {
  const cost = counts.cost > 0 ? `, cost ${Number(counts.cost.toPrecision(3))}` : '';
  return `${counts.promptTokens} tokens of prompts, ${counts.replyTokens} of replies${cost}`;
}
