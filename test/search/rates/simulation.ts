import { readFileSync } from 'node:fs';
import { Rng } from '../../../src/base/rng.ts';
import { DEFAULT_LLM_SETTINGS } from '../../../src/search/llm/settings.ts';
import type { LlmSettings } from '../../../src/search/llm/settings.ts';
import type { SelfPrunerPlan } from '../../../src/search/rates/selfPruner/plan.ts';
import type { PromptTemplates } from '../../../src/search/rates/selfPruner/plan.ts';
import { defaultsOf } from '../../../src/experiment/settingRow.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { OWL, UNIFORM } from '../../../src/experiment/structure.ts';
import type { Rung } from '../../../src/search/lifecycle/rung.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import type { EvoPressPlan } from '../../../src/search/rates/evopress/plan.ts';
import { EVOPRESS_SETTINGS } from '../../../src/search/rates/evopress/settings.ts';
import type { EvoPressSettings } from '../../../src/search/rates/evopress/settings.ts';
import type { RateEvent } from '../../../src/search/rates/events.ts';
import type { LlmReply } from '../../../src/search/llm/events.ts';
import type { AskedRates } from '../../../src/search/rates/effects.ts';
import type { LlmRequest } from '../../../src/search/llm/request.ts';
import { runRateSearch } from '../../../src/search/rates/runRateSearch.ts';
import type { RateOutcome } from '../../../src/search/rates/rateSearch.ts';
import type { ComponentsOpening, MeasureOutcome } from '../../../src/search/lifecycle/events.ts';
import {
  type SelfPrunerSettings,
  DEFAULT_SELF_PRUNER_SETTINGS,
} from '../../../src/search/rates/selfPruner/settings.ts';

/** The templates that ship. */
export const PROMPTS = Object.fromEntries(
  ['initialise', 'mutate', 'cross', 'again'].map((name) => [
    name,
    readFileSync(new URL(`../../../media/prompts/${name}.md`, import.meta.url), 'utf8'),
  ]),
) as unknown as PromptTemplates;

/**
 * A model of which only the loss is known: each block loses the more the more of it goes, steeply near the end, some much more than
 * others, and neighbours add to each other's loss.
 */
export interface RateProblem {
  readonly opening: ComponentsOpening;
  readonly lossOf: (rates: readonly number[]) => number;
  /** On some blocks of the text, where these differ. */
  readonly lossOn?: (rates: readonly number[], blocks: Pick<Rung, 'begin' | 'end'>) => number;
}

export function rateProblem(seed: number, blocks = 8): RateProblem {
  const rng = new Rng(seed);
  const importance = Array.from({ length: blocks }, () => Math.exp(1.2 * rng.normal()));
  const components = importance.map(() => ({ groups: 4, channels: 40, groupWeights: 4096, channelWeights: 192 }));
  return {
    opening: {
      ...{ blocks: 4, denseLosses: [3, 3, 3, 3], densePerplexity: Math.exp(3), fingerprint: `problem ${seed}` },
      ...{ device: 'none', parameters: 1000, architecture: 'llama', calibrationTokens: 10_000, components },
      owl: importance.map((value, i) => 0.3 + (i % 2 === 0 ? 0.05 : -0.05) * Math.min(1, value)),
    },
    lossOf: (rates) =>
      rates.reduce((sum, rate, i) => {
        const neighbour = rates[i - 1] ?? 0;
        return sum + (importance[i]! * rate ** 2 * (1 + neighbour)) / (1.2 - rate) / blocks;
      }, 3),
  };
}

/** One whose blocks of text differ: some are harder, and some blame one block of the model more than others do. */
export function noisyProblem(seed: number, count = 8, textBlocks = 16): RateProblem {
  const { opening, lossOf } = rateProblem(seed, count);
  const denseLosses = Array.from({ length: textBlocks }, (_, i) => 3 + Math.sin(i + seed));
  const dense = mean(denseLosses);
  return {
    opening: { ...opening, blocks: textBlocks, denseLosses, densePerplexity: Math.exp(dense) },
    lossOf,
    lossOn: (rates, { begin, end }) =>
      mean(
        denseLosses.slice(begin, end).map((loss, i) => {
          const blame = rates.reduce((sum, rate, block) => sum + rate * Math.sin(7 * (begin + i) + block), 0);
          return loss - 3 + lossOf(rates) + 0.05 * blame;
        }),
      ),
  };
}

/** The loss of rates on the blocks of a rung. */
export function lossOnBlocks(
  { lossOf, lossOn }: RateProblem,
  rates: readonly number[],
  { begin, end }: Pick<Rung, 'begin' | 'end'>,
): MeasureOutcome {
  return { kind: 'loss', blocks: end - begin, loss: lossOn?.(rates, { begin, end }) ?? lossOf(rates) };
}

export function ratePlan(
  search: Partial<SelfPrunerSettings> = {},
  llm: Partial<LlmSettings> = {},
  more: Partial<SelfPrunerPlan> = {},
): SelfPrunerPlan {
  return {
    ...{ kind: 'rates', name: 'simulated', model: '/models/toy', text: '' },
    sparsity: { kind: 'unstructured', share: 0.3 },
    target: { kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } },
    baselines: [
      { name: 'uniform', rates: UNIFORM },
      { name: 'owl', rates: OWL },
    ],
    settings: DEFAULT_SETTINGS,
    search: { ...DEFAULT_SELF_PRUNER_SETTINGS, population: 12, mutations: 5, crossovers: 5, generations: 6, ...search },
    llm: { ...DEFAULT_LLM_SETTINGS, ...llm },
    prompts: PROMPTS,
    ...more,
  };
}

/** A search by EvoPress, small. */
export function evoPressPlan(search: Partial<EvoPressSettings> = {}): EvoPressPlan {
  const { kind, name, model, sparsity, target, baselines, settings } = ratePlan();
  const selection = { offspring: 16, rounds: [2, 8, 16], survivors: [6, 2, 1], generations: 12 };
  return {
    ...{ kind, name, model, text: 'fitness.txt', sparsity, target, baselines, settings },
    search: { ...defaultsOf(EVOPRESS_SETTINGS), ...selection, ...search },
  };
}

export interface RateRun {
  readonly outcome: RateOutcome;
  readonly events: readonly RateEvent[];
  readonly measured: readonly (AskedRates & { readonly rung: Rung })[];
  readonly requests: readonly LlmRequest[];
}

export interface RateWorld {
  /** What the language model answers. */
  readonly reply?: (request: LlmRequest) => LlmReply | string;
  readonly measure?: (asked: AskedRates, rung: Rung) => MeasureOutcome;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RateEvent) => void;
}

/** Runs a search for rates on a problem. */
export async function simulateRates(
  plan: RateSearchPlan,
  problem: RateProblem,
  world: RateWorld = {},
): Promise<RateRun> {
  const events: RateEvent[] = [];
  const measured: (AskedRates & { readonly rung: Rung })[] = [];
  const requests: LlmRequest[] = [];
  const measure = world.measure ?? (({ rates }, rung): MeasureOutcome => lossOnBlocks(problem, rates, rung));
  const outcome = await runRateSearch(
    plan,
    {
      measure(asked, rung) {
        measured.push(...asked.map((one) => ({ ...one, rung })));
        return Promise.resolve(asked.map((one) => measure(one, rung)));
      },
      ask(request) {
        requests.push(request);
        const reply = world.reply?.(request);
        if (reply === undefined) throw new Error('nobody is there to answer');
        return Promise.resolve(typeof reply === 'string' ? textReply(reply) : reply);
      },
      emit(event) {
        events.push(event);
        world.onEvent?.(event);
        return Promise.resolve();
      },
    },
    { opening: problem.opening, ...(world.signal && { signal: world.signal }) },
  );
  return { outcome, events, measured, requests };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function textReply(text: string): LlmReply {
  return { kind: 'text', text, usage: { promptTokens: 100, replyTokens: 50 }, cost: 0.01, model: 'toy' };
}
