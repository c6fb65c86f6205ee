import type { RateRole } from '../../search/rates/selfPruner/roles.ts';
import type { SelfPrunerPlan } from '../../search/rates/selfPruner/plan.ts';
import { estimateTokens } from '../../llm/languageModel.ts';
import { batchSize, tokensOfList } from '../../search/rates/selfPruner/askForRates.ts';
import type { LlmSettings } from '../../search/llm/settings.ts';
import type { ProposingPlan } from '../../search/metrics/plan.ts';
import { wantedOf } from '../../search/metrics/proposals/askForFormulas.ts';
import { KNOWN_TOKENS } from '../../search/metrics/proposals/prompt.ts';
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
export function forecastOfRates({ llm, search, prompts }: SelfPrunerPlan, blocks: number): LlmForecast {
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
  return forecast(requests, promptTokens, replyTokens, llm);
}

/** One request a generation. */
export function forecastOfFormulas({ llm, search, prompts }: ProposingPlan): LlmForecast {
  const requests = search.generations;
  const wanted = wantedOf({ search }, Math.max(1, search.population - search.elites));
  const promptTokens = requests * (estimateTokens(prompts.propose) + NAMES_TOKENS + KNOWN_TOKENS);
  return forecast(requests, promptTokens, requests * wanted * FORMULA_TOKENS, llm);
}

/** Of operands and operations with their meaning, and of a formula, roughly. */
const NAMES_TOKENS = 1500;
const FORMULA_TOKENS = 30;

function forecast(requests: number, promptTokens: number, replyTokens: number, llm: LlmSettings): LlmForecast {
  const isPriced = llm.promptPrice > 0 || llm.replyPrice > 0;
  return {
    requests,
    most: requests * (1 + llm.reasks),
    promptTokens,
    replyTokens,
    cost: isPriced ? (promptTokens * llm.promptPrice + replyTokens * llm.replyPrice) / 1e6 : undefined,
  };
}
