import { toErrorData } from '../../src/base/errors.ts';
import { DEFAULT_LLM_SETTINGS, type LlmSettings } from '../../src/search/llm/settings.ts';
import type { SelfPrunerPlan } from '../../src/search/rates/selfPruner/plan.ts';
import type { RateCounts } from '../../src/search/rates/events.ts';
import type { LlmReply } from '../../src/search/llm/events.ts';
import type { LanguageModel } from '../../src/llm/languageModel.ts';
import { openAiModel } from '../../src/llm/openAi.ts';
import { loadPrompts } from '../../src/llm/promptTemplates.ts';
import { type Timer, withRetries } from '../../src/llm/retries.ts';
import type { LlmRequest } from '../../src/search/llm/request.ts';
import type { RateTarget } from '../../src/search/rates/plan.ts';
import { type FaultContext, type Fault, ScriptedLlm } from '../../test/support/scriptedLlm.ts';
import { ROOT } from '../work.ts';
import { findRates, ratePlan } from './findRates.ts';
import type { Found } from './methods.ts';
import type { StudyContext } from './studyContext.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

/** Self-Pruner: with classical operators, or with a server that answers like an imperfect language model. */
export async function findBySelfPruner(
  context: StudyContext,
  rate: number,
  target: RateTarget,
  llm: boolean,
): Promise<Found> {
  const server = llm ? await ScriptedLlm.start({ seed: context.options.seed, fault: someFault }) : undefined;
  try {
    const plan = await planOf(context, rate, target, server?.url);
    const opening = await context.engine.open(plan);
    const model =
      server &&
      withRetries(
        openAiModel({ settings: plan.llm, grant: { endpoint: plan.llm.endpoint, key: 'scripted' }, timer }),
        plan.llm,
        timer,
      );
    const { evaluation, counts } = await findRates(context, plan, opening, (request) => ask(model!, request));
    return { evaluation, note: noteOf(counts) };
  } finally {
    await server?.close();
  }
}

async function planOf(
  context: StudyContext,
  rate: number,
  target: RateTarget,
  endpoint: string | undefined,
): Promise<SelfPrunerPlan> {
  const { population, offspring, generations, seed } = context.options;
  const operator = endpoint === undefined ? 'classical' : 'llm';
  // One second, so that a server that says nothing costs little.
  const llm: LlmSettings = { ...DEFAULT_LLM_SETTINGS, llm: 'scripted', timeout: 1, retries: 3 };
  return {
    ...ratePlan(context, rate, target),
    name: 'self-pruner',
    search: {
      ...DEFAULT_SELF_PRUNER_SETTINGS,
      ...{ population, mutations: offspring, crossovers: offspring, generations, seed },
      ...{ initialise: operator, mutate: operator, cross: operator },
    },
    llm: endpoint === undefined ? DEFAULT_LLM_SETTINGS : { ...llm, provider: 'openai', endpoint },
    prompts: await loadPrompts({ shipped: `${ROOT}/media/prompts`, root: ROOT }),
  };
}

/** What happens to models behind an endpoint: texts that are not quite what was asked for, and connections that break. */
const FAULTS: readonly Fault[] = [
  ...(['chatty', 'wrong-length', 'wrong-mean', 'far-mean', 'unclosed', 'words', 'percent'] as const),
  ...(['too-few', 'repeated', 'empty', 'status-429', 'status-500', 'slow', 'truncated', 'silent', 'hang'] as const),
];

function someFault({ rng }: FaultContext): Fault {
  return rng.uniform() < 0.4 ? FAULTS[rng.integer(FAULTS.length)]! : 'none';
}

async function ask(model: LanguageModel, { call, role, generation, prompt }: LlmRequest): Promise<LlmReply> {
  const question = { prompt, role, generation, idempotencyKey: `study ${call}` };
  try {
    return { kind: 'text', ...(await model.complete(question, new AbortController().signal)), cost: 0 };
  } catch (error) {
    return { kind: 'failed', error: toErrorData(error, 'asking the scripted language model') };
  }
}

const timer: Timer = {
  after(milliseconds, callback) {
    const timeout = setTimeout(callback, milliseconds);
    return () => {
      clearTimeout(timeout);
    };
  },
};

function noteOf(counts: RateCounts): string {
  const { evaluations, candidates, calls, failedCalls, listsUsed, listsRepaired, listsRefused, fallbacks } = counts;
  const lists = `lists ${listsUsed} used, ${listsRepaired} repaired, ${listsRefused} refused`;
  return [
    `${candidates} configurations, ${evaluations} evaluations`,
    ...(calls + failedCalls > 0
      ? [`${calls} replies, ${failedCalls} failed; ${lists}; ${fallbacks} by classical operators`]
      : []),
  ].join('; ');
}
