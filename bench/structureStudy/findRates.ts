import { toErrorData } from '../../src/base/errors.ts';
import { DEFAULT_LLM_SETTINGS, type LlmSettings } from '../../src/search/rates/selfPruner/llm.ts';
import type { SelfPrunerPlan } from '../../src/search/rates/selfPruner/plan.ts';
import { OWL, UNIFORM } from '../../src/experiment/structure.ts';
import type { RateCounts } from '../../src/search/rates/events.ts';
import type { LlmReply } from '../../src/search/rates/selfPruner/events.ts';
import type { LanguageModel } from '../../src/llm/languageModel.ts';
import { openAiModel } from '../../src/llm/openAi.ts';
import { loadPrompts } from '../../src/llm/promptTemplates.ts';
import { type Timer, withRetries } from '../../src/llm/retries.ts';
import type { LlmRequest, RateEffects } from '../../src/search/rates/effects.ts';
import { runRateSearch } from '../../src/search/rates/runRateSearch.ts';
import { type FaultContext, type Fault, ScriptedLlm } from '../../test/support/scriptedLlm.ts';
import { ROOT, SHARED_FILES } from '../work.ts';
import { KnownLosses } from './knownLosses.ts';
import type { Found } from './methods.ts';
import type { StudyContext } from './studyContext.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

/** Self-Pruner over Wanda-sp: with classical operators, or with a server that answers like an imperfect language model. */
export async function findRates(context: StudyContext, rate: number, llm: boolean): Promise<Found> {
  const server = llm ? await ScriptedLlm.start({ seed: context.options.seed, fault: someFault }) : undefined;
  try {
    const plan = await planOf(context, rate, server?.url);
    const opening = await context.engine.open(plan);
    const known = new KnownLosses(context.file('measurements.jsonl'), opening.fingerprint);
    const model =
      server &&
      withRetries(
        openAiModel({ settings: plan.llm, grant: { endpoint: plan.llm.endpoint, key: 'scripted' }, timer }),
        plan.llm,
        timer,
      );
    const effects: RateEffects = {
      async measure(configurations) {
        const rates = configurations.map((configuration) => configuration.rates);
        return known.remembered(rates, async (asked) => {
          const candidates = asked.map((one) => ({ kind: 'rates', rates: one }) as const);
          const on = { kind: 'blocks', begin: 0, end: opening.blocks } as const;
          return (await context.engine.measure({ candidates, on })).map(({ answer }) => answer);
        });
      },
      ask: (request) => ask(model!, request),
      emit(event) {
        if (event.kind === 'generation' && event.generation % 5 === 0) {
          console.error(`  iteration ${event.generation}: ${event.bestSoFar?.perplexity.toFixed(2)}`);
        }
        return Promise.resolve();
      },
    };
    const { counts, finalists } = await runRateSearch(plan, effects, { opening });
    return {
      structure: {
        kind: 'scored',
        score: { kind: 'method', method: 'wanda-sp' },
        rates: { kind: 'given', rates: finalists[0]!.rates },
      },
      note: noteOf(counts),
    };
  } finally {
    await server?.close();
  }
}

async function planOf(
  { options, texts, settings }: StudyContext,
  rate: number,
  endpoint: string | undefined,
): Promise<SelfPrunerPlan> {
  const { population, offspring, generations, seed } = options;
  const operator = endpoint === undefined ? 'classical' : 'llm';
  // One second, so that a server that says nothing costs little.
  const llm: LlmSettings = { ...DEFAULT_LLM_SETTINGS, llm: 'scripted', timeout: 1, retries: 3 };
  return {
    kind: 'rates',
    name: 'self-pruner',
    model: SHARED_FILES.model,
    text: texts.fitness,
    calibration: SHARED_FILES.calibration,
    sparsity: { kind: 'unstructured', share: rate },
    target: { kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } },
    baselines: [
      { name: 'uniform', rates: UNIFORM },
      { name: 'owl', rates: OWL },
    ],
    settings,
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
