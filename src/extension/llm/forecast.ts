import type { RateRole } from '../../search/rates/selfPruner/roles.ts';
import type { SelfPrunerPlan } from '../../search/rates/selfPruner/plan.ts';
import { estimateTokens } from '../../llm/languageModel.ts';
import { batchSize, tokensOfList } from '../../search/rates/selfPruner/askForRates.ts';
import { POPULATION_TOKENS } from '../../search/rates/selfPruner/prompts.ts';

/** What a search will ask of its language model, said before it begins: estimates. */
export interface LlmForecast {
  /** As many for every role of every iteration as its lists need, and most of them, when every reply has to be asked for again. */
  readonly requests: number;
  readonly most: number;
  readonly promptTokens: number;
  readonly replyTokens: number;
  /** Undefined where no prices are known. */
  readonly cost: number | undefined;
}

/** @param blocks of the model that is pruned: a list has as many rates */
export function llmForecast({ llm, search, prompts }: SelfPrunerPlan, blocks: number): LlmForecast {
  const list = tokensOfList(blocks);
  const batch = batchSize(blocks, llm.replyTokens);
  const steps: readonly (readonly [RateRole, number, number, number])[] = [
    ['initialise', 1, 0, search.population],
    ['mutate', search.generations, search.population, search.mutations],
    ['cross', search.generations, search.population, search.crossovers],
  ];
  let [requests, promptTokens, replyTokens] = [0, 0, 0];
  for (const [role, times, shown, wanted] of steps) {
    if (search[role] !== 'llm') continue;
    const asked = times * Math.ceil(wanted / batch);
    requests += asked;
    promptTokens += asked * (estimateTokens(prompts[role]) + Math.min(shown * list, POPULATION_TOKENS));
    replyTokens += times * wanted * list;
  }
  const isPriced = llm.promptPrice > 0 || llm.replyPrice > 0;
  return {
    requests,
    most: requests * (1 + llm.reasks),
    promptTokens,
    replyTokens,
    cost: isPriced ? (promptTokens * llm.promptPrice + replyTokens * llm.replyPrice) / 1e6 : undefined,
  };
}
