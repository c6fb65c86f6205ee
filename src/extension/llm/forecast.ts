import type { LlmRole } from '../../experiment/llm.ts';
import type { RateSearchPlan } from '../../experiment/rateSearch.ts';

/** What a search will ask of its language model, said before it begins: estimates. */
export interface LlmForecast {
  /** One for every role of every iteration, and most of them, when every reply has to be asked for again. */
  readonly requests: number;
  readonly most: number;
  readonly promptTokens: number;
  readonly replyTokens: number;
  /** Undefined where no prices are known. */
  readonly cost: number | undefined;
}

/** `0.31234, ` in a list. */
const TOKENS_OF_RATE = 6;
const CHARACTERS_OF_TOKEN = 4;

/** @param blocks of the model that is pruned: a list has as many rates */
export function llmForecast({ llm, search, prompts }: RateSearchPlan, blocks: number): LlmForecast {
  const list = blocks * TOKENS_OF_RATE;
  const steps: readonly (readonly [LlmRole, number, number, number])[] = [
    ['initialise', search.initialise === 'llm' ? 1 : 0, 0, search.population],
    ['mutate', search.mutate === 'llm' ? search.generations : 0, search.population, search.mutations],
    ['cross', search.cross === 'llm' ? search.generations : 0, search.population, search.crossovers],
  ];
  let [requests, promptTokens, replyTokens] = [0, 0, 0];
  for (const [role, count, shown, wanted] of steps) {
    if (wanted === 0) continue;
    requests += count;
    promptTokens += count * (prompts[role].length / CHARACTERS_OF_TOKEN + shown * list);
    replyTokens += count * wanted * list;
  }
  const isPriced = llm.promptPrice > 0 || llm.replyPrice > 0;
  return {
    requests,
    most: requests * (1 + llm.reasks),
    promptTokens: Math.round(promptTokens),
    replyTokens: Math.round(replyTokens),
    cost: isPriced ? (promptTokens * llm.promptPrice + replyTokens * llm.replyPrice) / 1e6 : undefined,
  };
}
