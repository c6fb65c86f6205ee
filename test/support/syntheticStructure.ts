import { Rng } from '../../src/base/rng.ts';
import { packBits } from '../../src/experiment/components.ts';
import type { BlockComponents, ModelMask } from '../../src/experiment/structureSchema.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { RATE_ROLES } from '../../src/search/rates/selfPruner/roles.ts';
import type { RateRole } from '../../src/search/rates/selfPruner/roles.ts';
import type { MaskSearchPlan } from '../../src/search/masks/plan.ts';
import { packValues } from '../../src/experiment/packedValues.ts';
import type { SelfPrunerPlan } from '../../src/search/rates/selfPruner/plan.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { OWL, UNIFORM } from '../../src/experiment/structure.ts';
import type { RateCandidate, RateCounts, RateEvent, RateOperator } from '../../src/search/rates/events.ts';
import type { LlmReply } from '../../src/search/llm/events.ts';
import { sampleResult } from '../protocol/samples.ts';
import { fitnessOf } from '../../src/search/lifecycle/outcome.ts';
import type { ComponentsOpening } from '../../src/search/lifecycle/events.ts';
import type { MaskEvent, PackedValues } from '../../src/search/masks/events.ts';
import { type MaskSearchSettings, DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { type SelfPrunerSettings, DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

/**
 * Events of searches for rates and for masks that never were, for the panel and its tests: deterministic, of any length, with everything
 * that real ones can have (replies that cannot be used, requests that fail, fallbacks, losses that are left out).
 */
export interface Timed<Event> {
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: Event;
}

const START = Date.parse('2026-11-22T10:00:00Z');
const DENSE = 100.8;
/** Of the fitness text. */
export const BLOCKS = 64;
export const SHARE = 0.3;
/** What pruning each block costs, by position: the ends hurt, the middle does not. */
const HURT = [2.2, 1.1, 0.7, 0.6, 0.8, 1.4];

const components: BlockComponents = { groups: 4, channels: 688, groupWeights: 49_152, channelWeights: 768 };

export function opening(blocks: number, owl: boolean, channels = components.channels): ComponentsOpening {
  return {
    blocks: BLOCKS,
    denseLosses: Array.from({ length: BLOCKS }, () => Math.log(DENSE)),
    densePerplexity: DENSE,
    fingerprint: 'f'.repeat(64),
    device: 'cpu',
    parameters: 6_450_000,
    architecture: 'LlamaForCausalLM',
    components: Array.from({ length: blocks }, () => ({ ...components, channels })),
    calibrationTokens: 327_680,
    ...(owl && {
      owl: withMean(Array.from({ length: blocks }, (_, i) => 0.24 + (0.16 * i) / Math.max(1, blocks - 1))),
    }),
  };
}

// ---- rates ----

export function syntheticRatePlan(
  search: Partial<SelfPrunerSettings> = {},
  changes: Partial<SelfPrunerPlan> = {},
): SelfPrunerPlan {
  return {
    kind: 'rates',
    name: 'rates_for_tiny',
    model: '/workspace/models/wikitext-llama-6m',
    text: '/workspace/data/wiki.valid.txt',
    calibration: '/workspace/data/wiki.train.txt',
    test: '/workspace/data/wiki.test.txt',
    sparsity: { kind: 'unstructured', share: SHARE },
    target: { kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } },
    baselines: [
      { name: 'uniform', rates: UNIFORM },
      { name: 'owl', rates: OWL },
    ],
    settings: DEFAULT_SETTINGS,
    search: { ...DEFAULT_SELF_PRUNER_SETTINGS, ...search },
    llm: {
      ...DEFAULT_LLM_SETTINGS,
      provider: 'openai',
      endpoint: 'http://127.0.0.1:11434/v1',
      llm: 'qwen2.5-coder:14b',
      tokenCap: 400_000,
      costCap: 0.5,
      promptPrice: 0.4,
      replyPrice: 1.6,
    },
    prompts: { initialise: '{{model}}', mutate: '{{population}}', cross: '{{population}}', again: '{{reason}}' },
    ...changes,
  };
}

export interface SyntheticRatesOptions {
  readonly seed?: number;
  /** Iterations that are through, the initialisation not counted; the rest has not happened. Default: all, with finalists. */
  readonly until?: number;
  /** Decoder blocks of the model. */
  readonly blocks?: number;
  /** Whether no request to the language model is answered. */
  readonly refused?: boolean;
}

export function syntheticRates(
  plan: SelfPrunerPlan,
  { seed = 1, until, blocks = 6, refused = false }: SyntheticRatesOptions = {},
): Timed<RateEvent>[] {
  const rng = new Rng(seed);
  const { emit, events } = recorder<RateEvent>();
  const open = opening(blocks, true);
  emit({ kind: 'opened', ...open }, 4200);
  const uniform = Array<number>(blocks).fill(SHARE);
  for (const [i, rates] of [uniform, open.owl!].entries()) {
    const name = plan.baselines[i]?.name ?? 'uniform';
    emit(measured(-1 - i, fitness(rates)), 900);
    emit({ kind: 'baseline', id: -1 - i, name, rates, perplexity: fitness(rates) }, 5);
  }
  const all: RateCandidate[] = [];
  let counts: RateCounts = {
    ...{ candidates: 0, evaluations: 0, duplicates: 0, invalid: 0, calls: 0, failedCalls: 0 },
    ...{ listsUsed: 0, listsRepaired: 0, listsRefused: 0, fallbacks: 0, promptTokens: 0, replyTokens: 0, cost: 0 },
  };
  const add = (name: keyof RateCounts, by = 1): void => {
    counts = { ...counts, [name]: counts[name] + by };
  };
  let bestSoFar: { id: number; perplexity: number } | null = null;
  let call = 0;
  const usesLlm = plan.llm.provider !== 'none';

  const ask = (role: RateRole, generation: number, wanted: number): { call: number; usable: number } | undefined => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const id = call++;
      emit({ kind: 'llm-asked', call: id, generation, role, attempt, wanted, prompt: prompt(role, all, wanted) }, 5);
      const draw = rng.uniform();
      const usable = refused ? -1 : draw < 0.12 ? 0 : draw < 0.2 ? -1 : Math.max(1, wanted - rng.integer(3));
      const reply = replyOf(usable, all, blocks, rng);
      emit({ kind: 'llm-replied', call: id, reply, seconds: 6 + 9 * rng.uniform() }, 8000);
      if (reply.kind !== 'text') {
        add('failedCalls');
        return undefined;
      }
      add('calls');
      add('promptTokens', reply.usage.promptTokens);
      add('replyTokens', reply.usage.replyTokens);
      add('cost', reply.cost);
      if (usable > 0) return { call: id, usable };
      add('listsRefused', wanted);
    }
    return undefined;
  };

  const propose = (generation: number, role: RateRole, wanted: number): void => {
    const answer = usesLlm ? ask(role, generation, wanted) : undefined;
    const fromLlm = answer?.usable ?? 0;
    if (usesLlm && fromLlm < wanted) {
      const reason = answer
        ? 'the reply held fewer lists than were asked for'
        : 'the request failed: 429 Too Many Requests';
      emit({ kind: 'fallback', generation, role, count: wanted - fromLlm, reason }, 2);
      add('fallbacks', wanted - fromLlm);
    }
    for (let i = 0; i < wanted; i++) {
      const isLlm = i < fromLlm;
      const parents = role === 'initialise' || all.length < 2 ? [] : pick(rng, all, role === 'cross' ? 2 : 1);
      const base = parents[0]?.rates ?? uniform;
      const step = role === 'initialise' ? 0.1 : 0.04;
      const rates = withMean(base.map((rate, b) => rate + step * rng.normal() - 0.012 * (HURT[b % HURT.length]! - 1)));
      const repaired = isLlm && rng.uniform() < 0.35;
      const id = all.length;
      const perplexity = fitness(rates) * (1 + 0.01 * rng.uniform());
      const draw = rng.uniform();
      emit(measured(id, perplexity), 700);
      const configuration: RateCandidate = {
        ...{ id, generation, operator: isLlm ? LLM_OPERATORS[role] : CLASSICAL[role] },
        parents: isLlm ? [] : parents.map((parent) => parent.id),
        rates,
        ...(repaired && { repaired }),
        ...(isLlm && answer && { call: answer.call }),
        outcome:
          draw < 0.02
            ? { kind: 'invalid', detail: 'its loss is not finite' }
            : draw < 0.06 && id > 4
              ? { kind: 'shared', of: id - 3, perplexity }
              : { kind: 'full', perplexity },
      };
      all.push(configuration);
      emit({ kind: 'candidate', ...configuration }, 5);
      add('candidates');
      if (isLlm) add(repaired ? 'listsRepaired' : 'listsUsed');
      if (configuration.outcome.kind === 'invalid') add('invalid');
      else if (configuration.outcome.kind === 'shared') add('duplicates');
      else {
        add('evaluations');
        if (bestSoFar === null || perplexity < bestSoFar.perplexity) bestSoFar = { id, perplexity };
      }
    }
  };

  const { generations, population, mutations, crossovers, finalists } = plan.search;
  for (let generation = 0; generation <= (until ?? generations); generation++) {
    if (generation === 0) propose(0, 'initialise', population);
    else {
      propose(generation, 'mutate', mutations);
      propose(generation, 'cross', crossovers);
    }
    const values = all.flatMap(({ generation: of, outcome }) =>
      of === generation && outcome.kind !== 'invalid' ? [outcome.perplexity!] : [],
    );
    const mean = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
    const best = values.length === 0 ? null : Math.min(...values);
    const worst = values.length === 0 ? null : Math.max(...values);
    emit({ kind: 'generation', generation, best, mean, worst, bestSoFar, counts }, 10);
  }
  if (until !== undefined) return events;
  const ranked = all
    .flatMap(({ id, outcome, rates }) =>
      outcome.kind === 'full' ? [{ id, rates, perplexity: outcome.perplexity! }] : [],
    )
    .sort((a, b) => a.perplexity - b.perplexity)
    .slice(0, finalists);
  for (const { id, rates, perplexity } of ranked) {
    emit({ kind: 'finalist', id, name: `#${id}`, ...both(perplexity, rates) }, 3100);
  }
  for (const [name, rates] of [
    ['uniform', uniform],
    ['owl', open.owl!],
  ] as const)
    emit({ kind: 'finalist', name, ...both(fitness(rates), rates) }, 2800);
  emit({ kind: 'finished', counts, best: ranked.map(({ id }) => id) }, 10);
  return events;
}

const LLM_OPERATORS: Readonly<Record<RateRole, RateOperator>> = {
  initialise: 'llm-initialise',
  mutate: 'llm-mutate',
  cross: 'llm-cross',
};
const CLASSICAL: Readonly<Record<RateRole, RateOperator>> = {
  initialise: 'spread',
  mutate: 'gaussian',
  cross: 'blend',
};

/** Perplexity of rates: a bowl around what hurts least. */
export function fitness(rates: readonly number[]): number {
  const excess = rates.reduce((sum, rate, i) => sum + HURT[i % HURT.length]! * rate * rate * 6, 0) / rates.length;
  return DENSE * Math.exp(0.08 + 0.5 * excess);
}

export function measured(id: number, perplexity: number, blocks = BLOCKS): RateEvent {
  const measure = { kind: 'loss', blocks, loss: Math.log(perplexity) } as const;
  return { kind: 'measured', id, rung: 0, measure, seconds: 0.6 };
}

function pick(rng: Rng, all: readonly RateCandidate[], count: number): RateCandidate[] {
  const best = [...all].sort((a, b) => (fitnessOf(a) ?? Infinity) - (fitnessOf(b) ?? Infinity)).slice(0, 8);
  return Array.from({ length: count }, () => best[rng.integer(best.length)]!);
}

function prompt(role: RateRole, all: readonly RateCandidate[], wanted: number): string {
  const population = all.slice(-4).map(({ rates }) => `[${listOf(rates)}]`);
  return `You tune how much of each decoder block of wikitext-llama-6m is pruned (${RATE_ROLES.indexOf(role) + 1} of 3).\nGive ${wanted} lists of decimals with mean ${SHARE}.\n${population.join('\n')}`;
}

function replyOf(usable: number, all: readonly RateCandidate[], blocks: number, rng: Rng): LlmReply {
  if (usable < 0) {
    const error = {
      ...{ code: 'llm/request', operation: 'asking the language model', expected: 'a reply' },
      ...{ actual: '429 Too Many Requests, four times', remedy: 'Wait, or choose another endpoint.' },
    };
    return { kind: 'failed', error: error as Extract<LlmReply, { kind: 'failed' }>['error'] };
  }
  const rates = all.at(-1)?.rates ?? Array<number>(blocks).fill(SHARE);
  const lists = Array.from(
    { length: usable },
    () => `[${listOf(withMean(rates.map((rate) => rate + 0.03 * rng.normal())))}]`,
  );
  return {
    kind: 'text',
    text: usable === 0 ? 'I am sorry, here are some thoughts about pruning instead of lists.' : lists.join('\n'),
    usage: { promptTokens: 900 + 24 * all.length, replyTokens: 40 + 55 * usable },
    cost: 0.001 + 0.0001 * usable,
    model: 'qwen2.5-coder:14b',
  };
}

function listOf(rates: readonly number[]): string {
  return rates.map((rate) => rate.toFixed(5)).join(', ');
}

// ---- masks ----

export function syntheticMaskPlan(
  search: Partial<MaskSearchSettings> = {},
  changes: Partial<MaskSearchPlan> = {},
): MaskSearchPlan {
  return {
    kind: 'masks',
    name: 'masks_for_tiny',
    model: '/workspace/models/wikitext-llama-6m',
    calibration: '/workspace/data/wiki.train.txt',
    text: '/workspace/data/wiki.valid.txt',
    test: '/workspace/data/wiki.test.txt',
    sparsity: { kind: 'unstructured', share: SHARE },
    score: { kind: 'method', method: 'wanda-sp' },
    baselines: [
      {
        name: 'wanda-sp uniform',
        structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: UNIFORM },
      },
    ],
    settings: DEFAULT_SETTINGS,
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, steps: 1000, ...search },
    ...changes,
  };
}

export interface SyntheticMasksOptions {
  readonly seed?: number;
  /** Steps that are through; default: all, with the end. */
  readonly until?: number;
  readonly blocks?: number;
  /** Of each block. */
  readonly channels?: number;
}

export function syntheticMasks(
  plan: MaskSearchPlan,
  { seed = 1, until, blocks = 6, channels: width = components.channels }: SyntheticMasksOptions = {},
): Timed<MaskEvent>[] {
  const rng = new Rng(seed);
  const { emit, events } = recorder<MaskEvent>();
  emit({ kind: 'opened', ...opening(blocks, false, width) }, 4200);
  const { steps, masks, checkpoints, components: what } = plan.search;
  const layers = what !== 'heads-channels';
  const wanted = Array.from({ length: blocks }, (_, b) => ({
    groups: draws(rng, components.groups, HURT[b % HURT.length]!),
    channels: draws(rng, width, HURT[b % HURT.length]!),
  }));
  const first = wanted.map(({ groups, channels }) => ({
    groups: groups.map((value) => 0.7 + 0.12 * (value - 0.7)),
    channels: channels.map((value) => 0.7 + 0.12 * (value - 0.7)),
  }));
  if (plan.search.initial === 'metric') emit({ kind: 'scores', scores: packedOf(first, layers) }, 1500);
  const every = Math.max(1, Math.floor(steps / checkpoints));
  let leftOut = 0;
  let baseline: number | null = null;
  for (let step = 0; step <= (until ?? steps); step++) {
    const progress = step / steps;
    if (step % every === 0 || step === steps) {
      const sharp = 1 - Math.exp(-3.5 * progress);
      const now = wanted.map(({ groups, channels }, b) => ({
        groups: groups.map((value, i) => first[b]!.groups[i]! * (1 - sharp) + value * sharp),
        channels: channels.map((value, i) => first[b]!.channels[i]! * (1 - sharp) + value * sharp),
      }));
      const perplexity = DENSE * Math.exp(0.42 - 0.24 * sharp + 0.01 * rng.normal());
      const values = packedOf(now, layers);
      emit({ kind: 'probabilities', step, values, baseline, perplexity, removed: 0.2996, leftOut }, 900);
    }
    if (step === (until ?? steps)) break;
    const losses = Array.from({ length: masks }, () => {
      if (rng.uniform() < 0.004) {
        leftOut++;
        return null;
      }
      return Number((5.15 - 0.22 * (1 - Math.exp(-3 * progress)) + 0.06 * rng.normal()).toPrecision(6));
    });
    const finite = losses.filter((loss) => loss !== null);
    const mean = finite.reduce((sum, loss) => sum + loss, 0) / Math.max(1, finite.length);
    const average: number =
      finite.length === 0 ? (baseline ?? 5) : baseline === null ? mean : baseline + (mean - baseline) / 5;
    baseline = Number(average.toPrecision(6));
    emit({ kind: 'step', step, losses, baseline, seconds: 0.31 }, 310);
  }
  if (until !== undefined) return events;
  const mask: ModelMask = wanted.map(({ groups, channels }) => ({
    groups: packBits(groups.map((value) => value > 0.5)),
    channels: packBits(channels.map((value) => value > 0.5)),
  }));
  const rates = wanted.map(() => SHARE);
  emit({ kind: 'finished', mask, steps, leftOut }, 10);
  emit({ kind: 'finalist', name: 'policy-gradient', ...both(119.4, rates) }, 3000);
  emit({ kind: 'finalist', name: 'wanda-sp uniform', ...both(131.2, rates) }, 3000);
  return events;
}

/** Near 1 or near 0, more of it near 0 where it hurts less. */
function draws(rng: Rng, count: number, hurt: number): number[] {
  const keep = Math.min(0.95, 0.5 + 0.2 * hurt);
  return Array.from({ length: count }, () => (rng.uniform() < keep ? 1 - 0.03 * rng.uniform() : 0.04 * rng.uniform()));
}

function packedOf(
  blocks: readonly { groups: readonly number[]; channels: readonly number[] }[],
  layers: boolean,
): PackedValues {
  const pack = (values: readonly number[]): string => packValues(Float32Array.from(values));
  return {
    groups: pack(blocks.flatMap(({ groups }) => groups)),
    channels: pack(blocks.flatMap(({ channels }) => channels)),
    ...(layers && {
      blocks: pack(blocks.map(({ channels }) => channels.reduce((a, b) => a + b, 0) / channels.length)),
    }),
  };
}

// ---- both ----

export function both(
  perplexity: number,
  rates: readonly number[],
): { result: PerplexityResult; test: PerplexityResult } {
  const result = (value: number, dense: number): PerplexityResult => ({
    ...sampleResult({
      metric: 'wanda-sp',
      expression: 'wanda-sp',
      sparsity: { kind: 'unstructured', share: SHARE },
      calibrate: 'one-shot',
    }),
    perplexity: value,
    densePerplexity: dense,
    actualSparsity: 0.2996,
    structure: {
      method: 'wanda-sp',
      allocation: 'given',
      parameters: { dense: 6_450_000, pruned: 5_080_000 },
      blocks: rates.map((rate) => {
        const kept = Math.round(components.channels * (1 - rate));
        return {
          ...{ rate, removed: rate, groups: { kept: 3, of: 4 }, channels: { kept, of: components.channels } },
          groupBits: packBits([1, 1, 1, 0]),
          channelBits: packBits(Array.from({ length: components.channels }, (_, i) => i < kept)),
        };
      }),
    },
  });
  return { result: result(perplexity, DENSE), test: result(perplexity * 1.06, DENSE * 1.05) };
}

function withMean(rates: readonly number[]): number[] {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  return rates.map((rate) => Number(Math.min(1, Math.max(0, rate + SHARE - mean)).toFixed(5)));
}

export function recorder<Event>(): { emit: (event: Event, milliseconds: number) => void; events: Timed<Event>[] } {
  const events: Timed<Event>[] = [];
  let at = START;
  const emit = (event: Event, milliseconds: number): void => {
    at += milliseconds;
    events.push({ seq: events.length, at, event });
  };
  return { emit, events };
}
