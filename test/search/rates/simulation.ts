import { readFileSync } from 'node:fs';
import { Rng } from '../../../src/base/rng.ts';
import { DEFAULT_LLM_SETTINGS } from '../../../src/search/rates/selfPruner/llm.ts';
import type { LlmSettings } from '../../../src/search/rates/selfPruner/llm.ts';
import type { SelfPrunerPlan } from '../../../src/search/rates/selfPruner/plan.ts';
import type { PromptTemplates } from '../../../src/search/rates/selfPruner/plan.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { OWL, UNIFORM } from '../../../src/experiment/structure.ts';
import type { RateEvent } from '../../../src/search/rates/events.ts';
import type { LlmReply } from '../../../src/search/rates/selfPruner/events.ts';
import type { AskedRates, LlmRequest } from '../../../src/search/rates/effects.ts';
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

export interface RateRun {
  readonly outcome: RateOutcome;
  readonly events: readonly RateEvent[];
  readonly measured: readonly AskedRates[];
  readonly requests: readonly LlmRequest[];
}

export interface RateWorld {
  /** What the language model answers. */
  readonly reply?: (request: LlmRequest) => LlmReply | string;
  readonly measure?: (asked: AskedRates) => MeasureOutcome;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RateEvent) => void;
}

/** Runs a search for rates on a problem. */
export async function simulateRates(
  plan: SelfPrunerPlan,
  { opening, lossOf }: RateProblem,
  world: RateWorld = {},
): Promise<RateRun> {
  const events: RateEvent[] = [];
  const measured: AskedRates[] = [];
  const requests: LlmRequest[] = [];
  const measure = world.measure ?? (({ rates }): MeasureOutcome => ({ kind: 'loss', blocks: 4, loss: lossOf(rates) }));
  const outcome = await runRateSearch(
    plan,
    {
      measure(asked) {
        measured.push(...asked);
        return Promise.resolve(asked.map(measure));
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
    { opening, ...(world.signal && { signal: world.signal }) },
  );
  return { outcome, events, measured, requests };
}

function textReply(text: string): LlmReply {
  return { kind: 'text', text, usage: { promptTokens: 100, replyTokens: 50 }, cost: 0.01, model: 'toy' };
}
