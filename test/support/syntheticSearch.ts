import { Rng } from '../../src/base/rng.ts';
import { operand, operation } from '../../src/metric/expression.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { OPERATIONS } from '../../src/metric/operations.ts';
import type { OperationName } from '../../src/metric/operations.ts';
import { depthOf, sizeOf } from '../../src/metric/measure.ts';
import { printInfix, printPrefix } from '../../src/metric/print.ts';
import { DEFAULT_SEARCH_OPERANDS, DEFAULT_SEARCH_OPERATIONS } from '../../src/search/metrics/plan.ts';
import type { MetricSearchPlan, ProposingPlan } from '../../src/search/metrics/plan.ts';
import { isProposing } from '../../src/search/metrics/plan.ts';
import { NO_PROPOSAL_COUNTS } from '../../src/search/metrics/proposals/account.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import type {
  MetricCandidate,
  CandidateOutcome,
  MetricCounts,
  MetricEvent,
  ProposalCounts,
  VariationOperator,
} from '../../src/search/metrics/events.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { sampleResult } from '../protocol/samples.ts';
import { type MetricSearchSettings, DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';

export interface TimedEvent {
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: MetricEvent;
}

export interface SyntheticOptions {
  readonly seed?: number;
  readonly search?: Partial<MetricSearchSettings>;
  /** Generations that are through; the rest of the plan's has not happened. Default: all, with finalists and the end. */
  readonly until?: number;
}

const START = Date.parse('2026-11-22T10:00:00Z');
const DENSE = 143.3;
const BLOCKS = 64;
const FLOOR = 151.2;

const expressions = {
  magnitude: operand('W'),
  wanda: operation('mul', operand('W'), operation('sqrt', operand('X'))),
  pruner_zero: operation(
    'mul',
    operation('abs', operation('mul', operand('W'), operand('W'))),
    operation('mms', operand('G')),
  ),
};
const BASELINES = [
  ['wanda', 171.6],
  ['magnitude', 297.4],
  ['pruner_zero', 168.2],
] as const;

export function syntheticPlan(search: Partial<MetricSearchSettings> = {}): MetricSearchPlan {
  return {
    kind: 'metrics',
    name: 'metrics_for_tiny',
    model: '/workspace/models/wikitext-llama-6m',
    text: '/workspace/data/wiki.valid.txt',
    calibration: '/workspace/data/wiki.train.txt',
    test: '/workspace/data/wiki.test.txt',
    sparsity: { kind: 'unstructured', share: 0.6 },
    operations: DEFAULT_SEARCH_OPERATIONS,
    operands: DEFAULT_SEARCH_OPERANDS,
    seeds: [],
    baselines: BASELINES.map(([metric]) => ({ metric, expression: expressions[metric] })),
    settings: DEFAULT_SETTINGS,
    search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, ...search },
  };
}

/** A search in which a language model proposes some of the metrics. */
export function syntheticProposingPlan(search: Partial<MetricSearchSettings> = {}): ProposingPlan {
  const llm = { ...DEFAULT_LLM_SETTINGS, provider: 'openai', endpoint: 'http://localhost:11434/v1' } as const;
  return {
    ...syntheticPlan({ proposals: 0.2, ...search }),
    llm: { ...llm, llm: 'qwen2.5-coder:14b', tokenCap: 400_000, promptPrice: 1, replyPrice: 4 },
    prompts: { propose: 'Propose {{count}} metrics.' },
  };
}

/**
 * Events of a search that never was, for the panel and its tests: deterministic, of any length, with everything that a real one
 * can have (invalid candidates, shared rankings, stopped ones, terrible ones, one that ended its workers). Perplexities fall as
 * a real search's do; the metrics do not explain them.
 */
export function syntheticSearch(plan: MetricSearchPlan, { seed = 1, until }: SyntheticOptions = {}): TimedEvent[] {
  const rng = new Rng(seed);
  const { population, generations, method } = plan.search;
  const events: TimedEvent[] = [];
  let at = START;
  const emit = (event: MetricEvent, milliseconds: number): void => {
    at += milliseconds;
    events.push({ seq: events.length, at, event });
  };
  emit(opening(), 4200);
  for (const [metric, perplexity] of BASELINES)
    emit({ kind: 'baseline', name: metric, expression: printPrefix(expressions[metric]), perplexity }, 900);
  const all: MetricCandidate[] = [];
  let counts: MetricCounts = {
    candidates: 0,
    invalid: 0,
    duplicates: 0,
    stoppedEarly: 0,
    fullEvaluations: 0,
    evaluations: 0,
  };
  let best: { id: number; perplexity: number } | null = null;
  const last = until ?? generations;
  for (let generation = 0; generation < last; generation++) {
    const progress = method === 'random' ? 0.15 : generation / Math.max(1, generations - 1);
    const perplexities: number[] = [];
    const asked = isProposing(plan) ? ask(rng, plan, generation, emit) : undefined;
    for (let i = 0; i < population; i++) {
      const made = propose(rng, all, generation, progress);
      const candidate: MetricCandidate =
        asked && i < asked.used ? { ...made, operator: 'proposed', parents: [], call: generation } : made;
      all.push(candidate);
      counts = { ...counted(counts, candidate.outcome), ...(asked && { llm: asked.counts(counts.llm) }) };
      emit({ kind: 'candidate', ...candidate }, 200 + rng.integer(1200));
      const { outcome, id } = candidate;
      if (outcome.kind === 'invalid') continue;
      const perplexity = outcome.perplexity!;
      perplexities.push(perplexity);
      if (outcome.kind === 'full' && (best === null || perplexity < best.perplexity)) best = { id, perplexity };
    }
    perplexities.sort((a, b) => a - b);
    emit(
      {
        kind: 'generation',
        generation,
        best: perplexities[0] ?? null,
        mean:
          perplexities.length === 0 ? null : perplexities.reduce((sum, value) => sum + value, 0) / perplexities.length,
        worst: perplexities.at(-1) ?? null,
        bestSoFar: best,
        counts,
      },
      10,
    );
  }
  if (until !== undefined) return events;
  const ranked = all
    .flatMap(({ id, expression, outcome }) =>
      outcome.kind === 'full' ? [{ id, expression, perplexity: outcome.perplexity! }] : [],
    )
    .sort((a, b) => a.perplexity - b.perplexity)
    .slice(0, plan.search.finalists);
  for (const { id, expression, perplexity } of ranked)
    emit(finalist(id, `evolved_${id}`, expression, perplexity * 0.985, rng), 3100);
  for (const [metric, perplexity] of BASELINES)
    emit(finalist(undefined, metric, printPrefix(expressions[metric]), perplexity * 0.99, rng), 2800);
  emit({ kind: 'finished', counts, best: ranked.map(({ id }) => id) }, 10);
  return events;
}

/** What a language model is asked in one generation, and what stands in its reply. */
function ask(
  rng: Rng,
  { search }: MetricSearchPlan,
  generation: number,
  emit: (event: MetricEvent, milliseconds: number) => void,
): { readonly used: number; readonly counts: (before: ProposalCounts | undefined) => ProposalCounts } {
  const wanted = Math.round(search.proposals * search.population);
  const rejected = REJECTED.filter(() => rng.uniform() < 0.5);
  const used = Math.max(0, wanted - rejected.length);
  const prompt = `You help to find a pruning metric.\nPropose new metrics, as many as ${wanted}.`;
  const usage = { promptTokens: 1900 + 40 * generation, replyTokens: 30 * wanted };
  const text = REJECTED.map((one) => one.text).join('\n');
  emit({ kind: 'llm-asked', call: generation, generation, role: 'propose', attempt: 0, wanted, prompt }, 10);
  const reply = { kind: 'text', text, usage, cost: 0.01, model: 'qwen2.5-coder:14b' } as const;
  emit({ kind: 'llm-replied', call: generation, reply, seconds: 4.2 }, 4200);
  emit({ kind: 'proposed', generation, call: generation, used, rejected, unread: 0 }, 1);
  const count = wanted - used;
  if (count > 0)
    emit({ kind: 'fallback', generation, role: 'propose', count, reason: 'too few of the formulas could be used' }, 1);
  let isCounted = false;
  return {
    used,
    counts: (before = NO_PROPOSAL_COUNTS) => {
      if (isCounted) return before;
      isCounted = true;
      return {
        ...before,
        calls: before.calls + 1,
        fallbacks: before.fallbacks + count,
        promptTokens: before.promptTokens + usage.promptTokens,
        replyTokens: before.replyTokens + usage.replyTokens,
        cost: before.cost + reply.cost,
        formulasUsed: before.formulasUsed + used,
        formulasRejected: before.formulasRejected + rejected.length,
      };
    },
  };
}

const REJECTED = [
  { text: '|W| * ||X||_2', reason: 'bars mean nothing here: the magnitude of x is abs(x)' },
  { text: 'W * sqrt(X)', reason: 'it ranks like wanda, a baseline' },
  { text: 'torch.abs(W) * X.sqrt()', reason: 'it is code of another language: neither methods nor modules are known' },
  { text: 'W / (X + 1)', reason: 'it has /, which is none of this search’s operations' },
  { text: 'sqr(W) * mms(G)', reason: 'it ranks like candidate 3, W * sqrt(mms(G))' },
];

function opening(): MetricEvent {
  return {
    kind: 'opened',
    blocks: BLOCKS,
    denseLosses: Array.from({ length: BLOCKS }, () => Math.log(DENSE)),
    densePerplexity: DENSE,
    fingerprint: 'f'.repeat(64),
    device: 'cpu',
    parameters: 6_450_000,
    architecture: 'LlamaForCausalLM',
  };
}

const OPERATORS: readonly VariationOperator[] = [
  'crossover',
  'crossover',
  'mutate-operation',
  'mutate-operand',
  'mutate-subtree',
  'insert',
  'hoist',
];

function propose(rng: Rng, all: readonly MetricCandidate[], generation: number, progress: number): MetricCandidate {
  const id = all.length;
  const isFirst = generation === 0 || rng.uniform() < 0.1;
  const operator = isFirst ? (rng.uniform() < 0.5 ? 'grow' : 'full') : OPERATORS[rng.integer(OPERATORS.length)]!;
  const parents = isFirst
    ? []
    : Array.from({ length: operator === 'crossover' ? 2 : 1 }, () =>
        Math.max(0, id - 1 - rng.integer(Math.min(id, 80))),
      );
  const tree = randomTree(rng, 1 + rng.integer(3) + (rng.uniform() < progress ? 1 : 0));
  return {
    id,
    generation,
    operator,
    parents,
    expression: printPrefix(tree),
    size: sizeOf(tree),
    depth: depthOf(tree),
    outcome: outcomeFor(rng, all, progress),
  };
}

function outcomeFor(rng: Rng, all: readonly MetricCandidate[], progress: number): CandidateOutcome {
  const draw = rng.uniform();
  if (draw < 0.1)
    return rng.uniform() < 0.5
      ? { kind: 'invalid', reason: 'constant', detail: 'all scores of blocks.0.q_proj are 0' }
      : { kind: 'invalid', reason: 'not-finite', detail: '12 scores of blocks.3.down_proj are infinite' };
  const of = all.length === 0 ? undefined : all[rng.integer(all.length)];
  if (draw < 0.5 && of?.outcome.kind === 'full')
    return {
      kind: 'shared',
      of: of.id,
      by: rng.uniform() < 0.5 ? 'canonical' : 'mask',
      perplexity: of.outcome.perplexity!,
    };
  const spread = Math.exp(Math.abs(rng.normal()) * (1.6 - progress));
  const perplexity = FLOOR + (14 * (1.05 - progress) + 3) * (spread - 0.93) * (rng.uniform() < 0.05 ? 4000 : 1);
  return perplexity > 200 || rng.uniform() < 0.35
    ? { kind: 'stopped', rung: rng.integer(2), blocks: rng.uniform() < 0.5 ? 7 : 21, perplexity }
    : { kind: 'full', perplexity };
}

function counted(counts: MetricCounts, { kind }: CandidateOutcome): MetricCounts {
  const add = (yes: boolean): number => (yes ? 1 : 0);
  return {
    candidates: counts.candidates + 1,
    invalid: counts.invalid + add(kind === 'invalid'),
    duplicates: counts.duplicates + add(kind === 'shared'),
    stoppedEarly: counts.stoppedEarly + add(kind === 'stopped'),
    fullEvaluations: counts.fullEvaluations + add(kind === 'full'),
    evaluations: counts.evaluations + (kind === 'full' ? 1 : kind === 'stopped' ? 0.2 : 0),
  };
}

const UNARY: readonly OperationName[] = DEFAULT_SEARCH_OPERATIONS.filter((name) => OPERATIONS[name].arity === 1);
const BINARY: readonly OperationName[] = DEFAULT_SEARCH_OPERATIONS.filter((name) => OPERATIONS[name].arity === 2);

function randomTree(rng: Rng, depth: number): Expression {
  if (depth === 0 || rng.uniform() < 0.1) return operand((['W', 'X', 'G'] as const)[rng.integer(3)]!);
  return rng.uniform() < 0.5
    ? operation(UNARY[rng.integer(UNARY.length)]!, randomTree(rng, depth - 1))
    : operation(BINARY[rng.integer(BINARY.length)]!, randomTree(rng, depth - 1), randomTree(rng, depth - 1));
}

function finalist(id: number | undefined, name: string, expression: string, perplexity: number, rng: Rng): MetricEvent {
  const result = (value: number): PerplexityResult => ({
    ...sampleResult(),
    metric: name,
    expression: infixOf(expression),
    perplexity: value,
    densePerplexity: DENSE,
  });
  return {
    kind: 'finalist',
    ...(id !== undefined && { id }),
    name,
    expression,
    result: result(perplexity),
    test: { ...result(perplexity * (1.05 + 0.01 * rng.uniform())), densePerplexity: DENSE * 1.04 },
  };
}

function infixOf(text: string): string {
  const baseline = Object.values(expressions).find((expression) => printPrefix(expression) === text);
  return baseline ? printInfix(baseline) : text;
}
