import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../../src/base/rng.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { ModelMask, StructureScore } from '../../src/experiment/structureSchema.ts';
import { packBits } from '../../src/experiment/components.ts';
import { type MaskSearchPlan } from '../../src/search/masks/plan.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../src/experiment/planSchema.ts';
import { DEFAULT_SEARCH_OPERATIONS, type MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import type { EvaluationResult } from '../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../src/experiment/settings.ts';
import { OWL, UNIFORM } from '../../src/experiment/structure.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { FAMILIES } from './generate/families.ts';
import { type CheckpointRecipe, generateCheckpoint } from './generate/generateCheckpoint.ts';
import { generateText } from './generate/text.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { measureMasks, measureMetrics } from './measuring.ts';

/** A model and how it is cut: what decides the shapes of all products and sums. */
export interface ThreadCase {
  /** Sizes, for the test's name. */
  readonly name: string;
  readonly recipe: CheckpointRecipe;
  readonly length: number;
  readonly samples: number;
  readonly blocks: number;
}

export interface CaseSizes {
  readonly family: 'llama-2 grouped queries' | 'opt' | 'gemma2' | 'cohere';
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly length: number;
  readonly samples: number;
  readonly blocks: number;
}

export function threadCase(sizes: CaseSizes): ThreadCase {
  const { family, layers, hidden, intermediate, heads, kvHeads, length, samples, blocks } = sizes;
  const { config } = FAMILIES[family];
  const common = { num_hidden_layers: layers, hidden_size: hidden, num_attention_heads: heads };
  const own =
    family === 'opt'
      ? { ffn_dim: intermediate, word_embed_proj_dim: hidden, max_position_embeddings: 512 }
      : { intermediate_size: intermediate, num_key_value_heads: kvHeads, max_position_embeddings: 512 };
  return {
    name: `${family} ${hidden}/${intermediate}, ${heads}/${kvHeads} heads, ${samples} samples and ${blocks} blocks of ${length}`,
    recipe: { config: { ...config, ...common, ...own }, dtype: 'F32', shards: 1, beginToken: false, seed: 1 },
    ...{ length, samples, blocks },
  };
}

/** Sizes at random: powers of two and odd ones, wide and narrow, few rows and many. */
export function randomThreadCase(seed: number): ThreadCase {
  const rng = new Rng(seed);
  const pick = <Item>(...items: readonly Item[]): Item => items[rng.integer(items.length)]!;
  const kvHeads = pick(1, 2, 3);
  const heads = kvHeads * pick(1, 2, 3);
  const dim = 2 * pick(4, 5, 8, 12, 16);
  const hidden = heads * dim;
  return threadCase({
    family: pick('llama-2 grouped queries', 'llama-2 grouped queries', 'opt'),
    layers: pick(1, 2),
    ...{ hidden, heads, kvHeads },
    intermediate: pick(Math.floor(2.7 * hidden), 4 * hidden, 64 * (1 + rng.integer(8)), 1 + rng.integer(700)),
    length: pick(4 + rng.integer(12), 16, 32, 40, 64, 65, 100, 128, 129, 8 + rng.integer(200)),
    samples: 1 + rng.integer(9),
    blocks: 1 + rng.integer(9),
  });
}

const half = { kind: 'unstructured', share: 0.5 } as const;
const METRICS = ['W', 'mul(W, sqrt(X))', 'exp(tanh(sub(log(mul(W, X)), mms(G))))', 'div(zsn(mul(W, G)), X)'];
const SCORES: readonly StructureScore[] = [
  { kind: 'method', method: 'wanda-sp' },
  { kind: 'method', method: 'flap' },
  { kind: 'method', method: 'taylor' },
  { kind: 'method', method: 'shortgpt' },
  { kind: 'metric', expression: parsePrefix('log(mul(W, sqrt(X)))') },
];

/** Everything that the engine computes of a case with so many CPU threads, to the last bit, by what it is. */
export async function numbersOfThreads(
  { recipe, length, samples, blocks }: ThreadCase,
  threads: number,
): Promise<Readonly<Record<string, unknown>>> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-threads-'));
  const engine = createEngine();
  const numbers: Record<string, unknown> = {};
  try {
    await generateCheckpoint(folder, recipe);
    const [text, calibration] = [join(folder, 'text.txt'), join(folder, 'calibration.txt')];
    await writeFile(text, generateText(1, length * blocks));
    await writeFile(calibration, generateText(2, length * samples));
    const settings: EvaluationSettings = {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads, length, samples, blocks, offsets: 'even' },
    };
    const files = { model: folder, text, calibration };

    const isDivisible = Object.values(recipe.config).every(
      (size) => typeof size !== 'number' || size < 8 || size % 4 === 0,
    );
    const pairs = isDivisible ? [{ kind: 'n:m', keep: 2, of: 4 } as const] : [];
    const evaluations: PlannedEvaluation[] = [
      ...METRICS.map((metric) => ({ metric, expression: parsePrefix(metric), sparsity: half })),
      ...pairs.map((sparsity) => ({ metric: '2:4', expression: parsePrefix('mul(W, log(X))'), sparsity })),
      { metric: 'owl', expression: parsePrefix('mul(W, sqrt(X))'), sparsity: half, rates: OWL },
      ...SCORES.map((score) => ({
        metric: JSON.stringify(score),
        ...({ structure: { kind: 'scored', score, rates: UNIFORM }, sparsity: half } as const),
      })),
    ];
    const weights = evaluations.map(() => createHash('sha256'));
    const failed: unknown[] = [];
    const plan: EvaluationPlan = { ...files, evaluations, settings };
    const results = await engine.evaluate(plan, {
      onPruned: ({ weight }, index) => weights[index]!.update(weight),
      onFailure: ({ code, actual }, index) => failed.push([index, code, actual]),
    });
    numbers['evaluations'] = results.map(numbersOf);
    numbers['what was not evaluated'] = failed;
    numbers['pruned weights'] = weights.map((hash) => hash.digest('hex'));

    const search: MetricSearchPlan = {
      ...{
        kind: 'metrics',
        name: 'evolved',
        ...files,
        sparsity: half,
        operations: DEFAULT_SEARCH_OPERATIONS,
        operands: ['W', 'X', 'G'],
      },
      ...{ seeds: [], baselines: [], settings, search: DEFAULT_METRIC_SEARCH_SETTINGS },
    };
    const expressions = METRICS.map((metric) => parsePrefix(metric));
    numbers['opening of a search'] = await engine.open(search);
    numbers['probes'] = (await engine.probe({ expressions })).map(({ answer }) => answer);
    for (const [begin, end] of new Set([
      [0, 1],
      [Math.min(1, blocks - 1), blocks],
    ] as const)) {
      const measured = await measureMetrics(engine, expressions, begin, end);
      numbers[`blocks ${begin} to ${end}`] = measured.map(({ answer }) => answer);
    }

    const masks: MaskSearchPlan = {
      ...{ kind: 'masks', name: 'masks', ...files, sparsity: half, score: SCORES[2]!, baselines: [], settings },
      search: DEFAULT_MASK_SEARCH_SETTINGS,
    };
    const opening = await engine.open(masks);
    const { components } = opening;
    numbers['opening of a search for masks'] = opening;
    const found = [1, 2].map((seed): ModelMask => {
      const rng = new Rng(seed);
      const bits = (count: number): string => packBits(Uint8Array.from({ length: count }, () => rng.integer(2)));
      return components.map(({ groups, channels }) => ({ groups: bits(groups), channels: bits(channels) }));
    });
    const on = { kind: 'samples', offsets: [0, 3], tokens: Math.min(length, 12) } as const;
    numbers['masks on samples'] = (await measureMasks(engine, found, on)).map(({ answer }) => answer);
    numbers['masks on blocks'] = (await measureMasks(engine, found, { kind: 'blocks', begin: 0, end: blocks })).map(
      ({ answer }) => answer,
    );
    for (const score of SCORES.slice(0, 3)) {
      numbers[`scores by ${JSON.stringify(score)}`] = await engine.componentScores(score);
    }
    return numbers;
  } finally {
    await engine.dispose();
    await rm(folder, { recursive: true });
  }
}

function numbersOf({ perplexity, densePerplexity, actualSparsity, structure, rates, fingerprint }: EvaluationResult) {
  return { perplexity, densePerplexity, actualSparsity, structure, rates, fingerprint };
}
