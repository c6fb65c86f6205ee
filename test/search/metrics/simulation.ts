import { readFileSync } from 'node:fs';
import { Rng } from '../../../src/base/rng.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { DEFAULT_SEARCH_OPERANDS, DEFAULT_SEARCH_OPERATIONS } from '../../../src/search/metrics/plan.ts';
import type { MetricSearchPlan, ProposingPlan } from '../../../src/search/metrics/plan.ts';
import { BASELINES } from '../../../src/search/metrics/baselines.ts';
import { DEFAULT_LLM_SETTINGS } from '../../../src/search/llm/settings.ts';
import type { LlmSettings } from '../../../src/search/llm/settings.ts';
import { operandsOf } from '../../../src/metric/measure.ts';
import type { ProbeOutcome, MetricEvent } from '../../../src/search/metrics/events.ts';
import type { Expression } from '../../../src/metric/expression.ts';
import type { Proposal, MetricEffects, Proposer, SingleAnswers } from '../../../src/search/metrics/effects.ts';
import { runMetricSearch } from '../../../src/search/metrics/runMetricSearch.ts';
import type { MetricSearchOutcome } from '../../../src/search/metrics/runMetricSearch.ts';
import { maskOf } from '../../support/oracle/masks.ts';
import { scoreOf } from '../../support/oracle/metric.ts';
import type { SearchOpening, MeasureOutcome } from '../../../src/search/lifecycle/events.ts';
import { type MetricSearchSettings, DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import type { Rung } from '../../../src/search/lifecycle/rung.ts';

/**
 * A pruning problem without a model: one layer with random weights, inputs and gradients, where each weight has a hidden
 * importance, near |w|^1.2 · x^0.4 · (1 + g), that differs somewhat from text block to text block. Removing weights costs the
 * importance that goes. As with a model the best metric is unknown, most metrics are bad, many remove the same weights, and a
 * few blocks tell less than all.
 */
export interface Simulation {
  readonly opening: SearchOpening;
  readonly probe: (expression: Expression, against?: Expression) => ProbeOutcome;
  readonly measure: (expression: Expression, rung: Rung) => MeasureOutcome;
}

const [ROWS, COLUMNS, BLOCKS] = [8, 20, 18];
const SPARSITY = { kind: 'unstructured', share: 0.6 } as const;

export function simulation(seed: number): Simulation {
  const rng = new Rng(seed);
  const spread = (count: number, width: number): Float64Array =>
    Float64Array.from({ length: count }, () => Math.exp(width * rng.normal()));
  const operands = {
    W: { rows: ROWS, columns: COLUMNS, values: spread(ROWS * COLUMNS, 1) },
    X: { rows: 1, columns: COLUMNS, values: spread(COLUMNS, 1.5) },
    G: { rows: ROWS, columns: COLUMNS, values: spread(ROWS * COLUMNS, 1) },
  };
  const importance = operands.W.values.map(
    (w, i) =>
      w ** 1.2 * operands.X.values[i % COLUMNS]! ** 0.4 * (1 + operands.G.values[i]!) * Math.exp(0.5 * rng.normal()),
  );
  const total = importance.reduce((sum, value) => sum + value, 0);
  const blocks = Array.from({ length: BLOCKS }, () => importance.map((value) => value * Math.exp(rng.normal())));
  const denseLosses = Array.from({ length: BLOCKS }, () => 3 + 0.5 * rng.normal());
  const dense = denseLosses.reduce((sum, loss) => sum + loss, 0) / BLOCKS;

  const masks = new WeakMap<Expression, Uint8Array | undefined>();
  const maskFor = (expression: Expression): Uint8Array | undefined => {
    if (!masks.has(expression)) masks.set(expression, computeMask(expression));
    return masks.get(expression);
  };
  const computeMask = (expression: Expression): Uint8Array | undefined => {
    try {
      return maskOf(scoreOf(expression, operands, ROWS, COLUMNS), SPARSITY, 'row');
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  };
  return {
    opening: {
      ...{ blocks: BLOCKS, denseLosses, densePerplexity: Math.exp(dense), parameters: ROWS * COLUMNS },
      ...{ fingerprint: `simulation ${seed}`, device: 'none', architecture: 'one layer' },
    },
    probe(expression, against) {
      const mask = maskFor(expression);
      if (mask === undefined) return { kind: 'invalid', reason: 'not-finite', detail: 'the score cannot rank' };
      const other = against && maskFor(against)!;
      const changed = other && { changed: mask.filter((bit, i) => bit !== other[i]).length / mask.length };
      return { kind: 'ranks', fingerprint: mask.join(''), whole: true, ...changed };
    },
    measure(expression, { begin, end }) {
      const mask = maskFor(expression);
      if (mask === undefined) return { kind: 'invalid', reason: 'not-finite', detail: 'the score cannot rank' };
      let loss = 0;
      for (let block = begin; block < end; block++) {
        const lost = blocks[block]!.reduce((sum, value, i) => sum + (mask[i] === 1 ? value : 0), 0);
        loss += denseLosses[block]! + lost / total;
      }
      return { kind: 'loss', blocks: end - begin, loss: loss / (end - begin) };
    },
  };
}

export function planOf(search: Partial<MetricSearchSettings>, more: Partial<MetricSearchPlan> = {}): MetricSearchPlan {
  return {
    ...{ kind: 'metrics', name: 'simulated', model: '', text: '', sparsity: SPARSITY, seeds: [], baselines: [] },
    ...{ operations: DEFAULT_SEARCH_OPERATIONS, operands: DEFAULT_SEARCH_OPERANDS, settings: DEFAULT_SETTINGS },
    search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, ...search },
    ...more,
  };
}

const promptFile = (): URL => new URL('../../../media/prompts/propose.md', import.meta.url);
export const SMALL = { population: 14, generations: 6, elites: 2, seed: 3, proposals: 0.5 } as const;

/** A small search in which a language model proposes half of the metrics. */
export function proposingPlan(
  search: Partial<MetricSearchSettings> = {},
  llm: Partial<LlmSettings> = {},
  more: Partial<ProposingPlan> = {},
): ProposingPlan {
  const baselines = BASELINES.filter(({ expression }) => !operandsOf(expression).includes('G'));
  const asked = {
    llm: { ...DEFAULT_LLM_SETTINGS, provider: 'openai' as const, ...llm },
    prompts: { propose: readFileSync(promptFile(), 'utf8') },
  };
  return { ...planOf({ ...SMALL, ...search }, { model: '/models/toy', baselines }), ...asked, ...more };
}

export interface SimulatedRun {
  readonly outcome: MetricSearchOutcome;
  readonly events: readonly MetricEvent[];
  /** Every question that was asked, in order. */
  readonly questions: readonly string[];
}

/** Runs a search on a simulation. */
export async function simulate(
  plan: MetricSearchPlan,
  { opening, probe, measure }: Simulation,
  more: {
    readonly signal?: AbortSignal;
    readonly onEvent?: (event: MetricEvent) => void;
    readonly proposer?: Proposer;
    readonly singly?: SingleAnswers;
  } = {},
): Promise<SimulatedRun> {
  const events: MetricEvent[] = [];
  const questions: string[] = [];
  const ids = (candidates: readonly Proposal[]): string => candidates.map(({ id }) => id).join(' ');
  const effects: MetricEffects = {
    probe(candidates) {
      questions.push(
        `probe ${candidates.map(({ id, trial }) => (trial === undefined ? id : `${id}/${trial}`)).join(' ')}`,
      );
      return Promise.resolve(candidates.map(({ expression, against }) => probe(expression, against)));
    },
    measure(candidates, rung) {
      questions.push(`measure ${ids(candidates)} on ${rung.begin} to ${rung.end}`);
      return Promise.resolve(candidates.map(({ expression }) => measure(expression, rung)));
    },
    emit(event) {
      events.push(event);
      more.onEvent?.(event);
      return Promise.resolve();
    },
    ...(more.proposer && { proposer: more.proposer }),
    ...(more.singly && { singly: more.singly }),
  };
  const outcome = await runMetricSearch(plan, effects, { opening, ...(more.signal && { signal: more.signal }) });
  return { outcome, events, questions };
}
