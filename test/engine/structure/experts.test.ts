import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { unpackBits } from '../../../src/experiment/components.ts';
import type { PlannedEvaluation, StructureEvaluation } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { warningsOf } from '../../../src/experiment/resultWarnings.ts';
import { DEFAULT_SETTINGS, type DeviceName, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { OWL, type StructureMethod, UNIFORM } from '../../../src/experiment/structure.ts';
import type { ModelMask, RateAllocation } from '../../../src/experiment/structureSchema.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../../src/search/masks/settings.ts';
import { evoPressPlan } from '../../search/rates/simulation.ts';
import { DEFAULT_SEARCH_OPERATIONS, type MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { measureMetrics } from '../../support/measuring.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { oracleConfig, readOracleConfig } from '../../support/oracle/config.ts';
import { mixtureModel } from '../../support/oracle/mixtures.ts';
import { forward, loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { collectStatistics, evenSamples, pruned, zeroShare } from '../../support/oracle/prune.ts';
import { inputOperands } from '../../support/oracle/statistics.ts';
import { readStoredTensors, type StoredTensors } from '../../support/oracle/storedTensors.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Which experts go, and what is left: engine and float64 oracle read the same files and share nothing else.

const [SAMPLES, BLOCKS, LENGTH] = [3, 2, 40];
const FAMILY_NAMES: readonly FamilyName[] = ['mixtral', 'qwen2-moe', 'qwen3-moe', 'olmoe'];
const WAYS = [
  { method: 'reap', share: 0.25 },
  { method: 'reap', share: 0.5 },
  { method: 'wanda-experts', share: 0.5 },
  { method: 'routing-frequency', share: 0.4 },
] as const;

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const SETTINGS: EvaluationSettings = {
  ...DEFAULT_SETTINGS,
  device: (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName,
  ...{ threads: 1, samples: SAMPLES, blocks: BLOCKS, length: LENGTH, offsets: 'even' as const },
};

describe.each(FAMILY_NAMES)('%s: the engine agrees with the oracle on', (name) => {
  let family: TemporaryFamily;
  let engine: Engine;
  let results: readonly PerplexityResult[];
  beforeAll(async () => {
    family = await temporaryFamily(name);
    engine = createEngine();
    results = await evaluate(engine, family, WAYS.map(dropping));
  });
  afterAll(async () => {
    await engine.dispose();
    await family.remove();
  });

  test.each(WAYS)('$method, $share', ({ method, share }) => {
    const result = results[WAYS.findIndex((way) => way.method === method && way.share === share)]!;
    const tensors = readStoredTensors(family.folder);
    const scores = scoresOf(family, method);
    const kept = scores.map((experts) => keptOf(experts, share));
    expect(result.structure!.blocks.map(({ experts, expertBits }) => bitsOf(experts?.of, expertBits))).toEqual(kept);
    expect(result.structure!.blocks.map(({ experts }) => experts?.kept ?? 0)).toEqual(kept.map((block) => sum(block)));

    const smaller = oracleOf(family, withExperts(tensors, kept));
    const expected = perplexity(smaller, tokenize(family.folder, family.text), LENGTH, BLOCKS);
    expect(Math.abs(result.perplexity / expected - 1)).toBeLessThan(1e-4);
    expect(Math.abs(expected / result.densePerplexity - 1)).toBeGreaterThan(1e-3);
    const parameters = (of: StoredTensors): number => sum([...of.values()].map(({ values }) => values.length));
    expect(result.structure!.parameters).toEqual({
      dense: parameters(tensors),
      pruned: parameters(withExperts(tensors, kept)),
    });
  });
});

describe('an export without experts', () => {
  test.each(['mixtral', 'qwen2-moe'] as const)(
    'of %s is the family’s own config.json, and computes the same',
    async (name) => {
      const family = await temporaryFamily(name);
      const target = await mkdtemp(join(tmpdir(), 'espalier-experts-'));
      const engine = createEngine({ startFresh: () => createEngine() });
      const plan = planOf(family, [dropping({ method: 'reap', share: 0.75 })]);
      const { result } = await engine.exportModel(plan, { folder: join(target, 'model'), format: 'huggingface' });
      const config = JSON.parse(await readFile(join(target, 'model', 'config.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      expect(config).not.toHaveProperty('espalier');
      const left = name === 'mixtral' ? 1 : 1;
      expect(config).toMatchObject({
        [name === 'mixtral' ? 'num_local_experts' : 'num_experts']: left,
        num_experts_per_tok: left,
      });
      const tokens = tokenize(family.folder, family.text);
      const read = perplexity(loadOracle(join(target, 'model')), tokens, LENGTH, BLOCKS);
      expect(Math.abs(result.perplexity / read - 1)).toBeLessThan(1e-4);
      await engine.dispose();
      await family.remove();
      await rm(target, { recursive: true });
    },
  );
});

describe('an expert that no calibration token goes through', () => {
  const unseen = 'model.layers.1.block_sparse_moe.experts.4';
  let family: TemporaryFamily;
  let engine: Engine;
  beforeAll(async () => {
    family = await temporaryFamily('mixtral');
    // Of three experts that score alike only the first two are ever taken.
    await makeAlike(family.folder, 'model.layers.1.block_sparse_moe.gate.weight', [1, 2, 4]);
    engine = createEngine();
  });
  afterAll(async () => {
    await engine.dispose();
    await family.remove();
  });

  test.each([
    ['mul(W, sqrt(X))', 'sequential', '0.5'],
    ['mul(W, sqrt(X))', 'one-shot', '2:4'],
    ['mul(W, add(Xmax, Xvar))', 'one-shot', '0.3'],
  ] as const)('is named, and left as it is by %s, %s', async (text, calibrate, sparsity) => {
    const expression = fromPrefix(text);
    const asked = sparsity === '2:4' ? ({ kind: 'n:m', keep: 2, of: 4 } as const) : share(Number(sparsity));
    const [result] = await evaluate(engine, family, [{ metric: text, expression, sparsity: asked }], { calibrate });
    expect(result!.unseenExperts).toEqual([unseen]);
    expect(warningsOf(result!).join()).toContain(`no calibration token went through ${unseen}: it could not be ranked`);
    const config = readOracleConfig(family.folder);
    const samples = evenSamples(tokenize(family.folder, family.calibration), SAMPLES, LENGTH);
    const how = { expression, sparsity: asked, group: 'row', calibrate, samples } as const;
    const model = pruned(loadOracle(family.folder), (tensors) => mixtureModel(config, tensors), how);
    const expected = perplexity(model, tokenize(family.folder, family.text), LENGTH, BLOCKS);
    expect(Math.abs(result!.perplexity / expected - 1)).toBeLessThan(1e-4);
    expect(result!.actualSparsity).toBeCloseTo(zeroShare(model), 9);
    expect(result!.actualSparsity).toBeLessThan(asked.kind === 'n:m' ? 0.5 : asked.share);
  });

  test('is left by gradients, too, and ranked by weights alone', async () => {
    const evaluations = ['G', 'W'].map((text) => ({
      ...{ metric: text, expression: fromPrefix(text), sparsity: share(0.5) },
    }));
    const [gradient, magnitude] = await evaluate(engine, family, evaluations);
    expect(gradient!.unseenExperts).toEqual([unseen]);
    expect(magnitude!).not.toHaveProperty('unseenExperts');
  });

  test('does not keep a search for metrics from ranking the others', async () => {
    const { model, text, calibration, settings } = planOf(family, []);
    const [X, G] = ['mul(W, sqrt(X))', 'mul(W, G)'].map(fromPrefix);
    const plan: MetricSearchPlan = {
      ...{ kind: 'metrics', name: 'evolved', model, text, calibration, settings, sparsity: share(0.5) },
      ...{ operations: DEFAULT_SEARCH_OPERATIONS, operands: ['W', 'X', 'G'], seeds: [], baselines: [] },
      search: DEFAULT_METRIC_SEARCH_SETTINGS,
    };
    await engine.open(plan);
    const probes = await engine.probe({ expressions: [X!, G!] });
    expect(probes.map(({ answer }) => answer.kind)).toEqual(['ranks', 'ranks']);
    const [measured] = await measureMetrics(engine, [X!], 0, BLOCKS);
    const evaluation = { metric: 'X', expression: X!, sparsity: share(0.5) };
    const [result] = await evaluate(engine, family, [evaluation], { calibrate: 'one-shot' });
    expect(measured!.answer).toMatchObject({
      kind: 'loss',
      loss: expect.closeTo(Math.log(result!.perplexity), 5) as number,
    });
  });

  test('stays where experts go by what they make, and goes first where they go by how often they are chosen', async () => {
    const methods = ['reap', 'wanda-experts', 'routing-frequency'] as const;
    const results = await evaluate(
      engine,
      family,
      methods.map((method) => dropping({ method, share: 0.8 })),
    );
    const stays = results.map(({ structure }) => {
      const { experts, expertBits } = structure!.blocks[1]!;
      return unpackBits(expertBits!, experts!.of)[4];
    });
    expect(stays).toEqual([1, 1, 0]);
    expect(results.map(({ unseenExperts }) => unseenExperts)).toEqual([[unseen], [unseen], undefined]);
  });
});

describe('is refused', () => {
  const whole = { groups: 'c', channels: '' };
  test.each<[string, FamilyName, StructureEvaluation['structure'], RegExp]>([
    [
      'heads and channels of a mixture',
      'mixtral',
      scored('wanda-sp'),
      /wanda-sp, which removes whole heads and channels/,
    ],
    ['experts of a model without any', 'llama-1', scored('reap'), /a mixture of experts.*without experts/],
    ['a threshold over blocks', 'mixtral', scored('reap', { kind: 'global' }), /uniform, or rates of your own/],
    ['owl', 'mixtral', scored('routing-frequency', OWL), /uniform, or rates of your own/],
    ['a mask of heads of a mixture', 'olmoe', masked({ groups: '8', channels: '' }), /heads or channels/],
    ['a mask without an expert left', 'mixtral', masked({ ...whole, experts: '00' }), /mask of/],
    ['a mask of more experts', 'mixtral', masked({ ...whole, experts: 'ffc' }), /mask of/],
  ])('%s', async (_, name, structure, message) => {
    const family = await temporaryFamily(name);
    const engine = createEngine();
    const asked = { metric: 'm', structure, sparsity: share(0.25) };
    await expect(evaluate(engine, family, [asked])).rejects.toMatchObject({ code: 'settings/invalid' });
    await expect(evaluate(engine, family, [asked])).rejects.toThrow(message);
    await engine.dispose();
    await family.remove();
  });

  test('heads, channels and layers of a mixture, as something to search', async () => {
    const family = await temporaryFamily('mixtral');
    const engine = createEngine();
    const { model, text, calibration, settings } = planOf(family, []);
    const files = { model, text, calibration, settings };
    const masks = { kind: 'masks', name: 'm', ...files, sparsity: share(0.5), baselines: [] } as const;
    const score = { kind: 'method', method: 'wanda-sp' } as const;
    for (const plan of [
      { ...masks, score, search: DEFAULT_MASK_SEARCH_SETTINGS },
      { ...evoPressPlan({ drop: 'sublayers' }), ...files },
    ]) {
      await expect(engine.open(plan)).rejects.toMatchObject({
        code: 'settings/invalid',
        data: { expected: 'experts or whole blocks, of a mixture of experts' },
      });
    }
    await engine.dispose();
    await family.remove();
  });

  test('not a search for rates of single weights', async () => {
    const family = await temporaryFamily('qwen2-moe');
    const engine = createEngine();
    const { model, text, calibration, settings } = planOf(family, []);
    const files = { model, text, calibration, settings };
    const target = { kind: 'weights', metric: 'wanda', expression: fromPrefix('mul(W, sqrt(X))') } as const;
    const opening = await engine.open({ ...evoPressPlan({}), ...files, target, baselines: [] });
    const [answer] = await engine.measure(
      { candidates: [{ kind: 'rates', rates: [0.2, 0.6, 0.4] }], on: { kind: 'blocks', begin: 0, end: BLOCKS } },
      {},
    );
    // Owl’s rates weigh the blocks, the shared expert’s layers among their weights.
    expect(opening).toMatchObject({
      components: [{ experts: 4 }, { channels: 56 }, { experts: 4, sharedWeights: 3 * 40 * 32 }],
    });
    expect(answer!.answer.kind).toBe('loss');
    await engine.dispose();
    await family.remove();
  });

  function scored(method: StructureMethod, rates: RateAllocation = UNIFORM): StructureEvaluation['structure'] {
    return { kind: 'scored', score: { kind: 'method', method }, rates };
  }

  function masked(block: ModelMask[number]): StructureEvaluation['structure'] {
    return { kind: 'mask', mask: [block, block, block] };
  }
});

test('rates of each block leave sizes that Espalier writes and reads', async () => {
  const family = await temporaryFamily('mixtral');
  const target = await mkdtemp(join(tmpdir(), 'espalier-experts-'));
  const engine = createEngine({ startFresh: () => createEngine() });
  const rates = { kind: 'given', rates: [0, 0.4, 1] } as const;
  const evaluation = { ...dropping({ method: 'reap', share: 0.47 }) };
  const plan = planOf(family, [
    { ...evaluation, structure: { kind: 'scored', score: { kind: 'method', method: 'reap' }, rates } },
  ]);
  const { result } = await engine.exportModel(plan, { folder: join(target, 'model'), format: 'huggingface' });
  // One expert stays whatever was asked for.
  expect(result.structure!.blocks.map(({ experts }) => experts!.kept)).toEqual([5, 3, 1]);
  const config = JSON.parse(await readFile(join(target, 'model', 'config.json'), 'utf8')) as Record<string, unknown>;
  expect(config['espalier']).toMatchObject({
    blocks: [{ experts: 5 }, { experts: 3 }, { experts: 1, intermediate: 0 }],
  });
  const [again] = await evaluate(engine, { ...family, folder: join(target, 'model') }, []);
  expect(Math.abs(again!.perplexity / result.perplexity - 1)).toBeLessThan(1e-5);
  await engine.dispose();
  await family.remove();
  await rm(target, { recursive: true });
});

function dropping({
  method,
  share: rate,
}: {
  readonly method: StructureMethod;
  readonly share: number;
}): StructureEvaluation {
  const structure = { kind: 'scored', score: { kind: 'method', method }, rates: UNIFORM } as const;
  return { metric: `${method} ${rate}`, structure, sparsity: share(rate) };
}

function share(value: number) {
  return { kind: 'unstructured', share: value } as const;
}

function planOf(
  family: TemporaryFamily,
  evaluations: readonly PlannedEvaluation[],
  settings: Partial<EvaluationSettings> = {},
) {
  const { folder, textFile, calibrationFile } = family;
  return {
    model: folder,
    text: textFile,
    calibration: calibrationFile,
    evaluations,
    settings: { ...SETTINGS, ...settings },
  };
}

function evaluate(
  engine: Engine,
  family: TemporaryFamily,
  evaluations: readonly PlannedEvaluation[],
  settings: Partial<EvaluationSettings> = {},
): Promise<readonly PerplexityResult[]> {
  return engine.evaluate(planOf(family, evaluations, settings));
}

/** The oracle's scores of every expert, block by block; nothing of a block without. */
function scoresOf(family: TemporaryFamily, method: StructureMethod): number[][] {
  const tensors = readStoredTensors(family.folder);
  const config = readOracleConfig(family.folder);
  const samples = evenSamples(tokenize(family.folder, family.calibration), SAMPLES, LENGTH);
  const seen = Array.from({ length: config.depth }, (_, block) =>
    Array.from({ length: countOf(tensors, block) }, () => ({ tokens: 0, weighed: 0 })),
  );
  const model = mixtureModel(config, tensors, (block, expert, weight, output) => {
    const own = seen[block]![expert]!;
    own.tokens++;
    own.weighed += weight * Math.hypot(...output);
  });
  for (const sample of samples) forward(model, sample);
  if (method === 'routing-frequency') return seen.map((block) => block.map(({ tokens }) => tokens));
  if (method === 'reap')
    return seen.map((block) => block.map(({ tokens, weighed }) => (tokens ? weighed / tokens : Infinity)));
  const statistics = collectStatistics(model, samples);
  return seen.map((block, index) =>
    block.map((_, expert) => {
      const layers = model.linearsIn!(index).filter((layer) => layer.includes(`.experts.${expert}.`));
      const scores = layers.flatMap((layer) => {
        const found = statistics.get(`${index}.${layer}`);
        if (!found) return [Infinity];
        const X = inputOperands(found)['X']!.values;
        const { values, columns } = tensors.get(model.weightName(index, layer))!;
        return [...values].map((value, i) => Math.abs(value) * Math.sqrt(X[i % columns]!));
      });
      return sum(scores) / scores.length;
    }),
  );
}

function routerOf(tensors: StoredTensors, block: number): string | undefined {
  return [...tensors.keys()].find((name) =>
    new RegExp(`layers\\.${block}\\.(mlp|block_sparse_moe)\\.gate\\.weight$`).test(name),
  );
}

function countOf(tensors: StoredTensors, block: number): number {
  const router = routerOf(tensors, block);
  return router === undefined ? 0 : tensors.get(router)!.rows;
}

function keptOf(scores: readonly number[], rate: number): number[] {
  const ranked = scores.filter((score) => score !== Infinity).length;
  const gone = Math.max(0, Math.min(Math.floor(rate * scores.length + 0.5), scores.length - 1, ranked));
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]! || a - b);
  return scores.map((_, expert) => (order.indexOf(expert) < gone ? 0 : 1));
}

/** The tensors of the model that is left: rows of routers gone, experts numbered anew. */
function withExperts(tensors: StoredTensors, kept: readonly (readonly number[])[]): StoredTensors {
  const left: StoredTensors = new Map();
  for (const [name, tensor] of tensors) {
    const [, block, expert] = /layers\.(\d+)\..*?(?:experts\.(\d+)\.|$)/.exec(name) ?? [];
    const bits = block === undefined ? undefined : kept[Number(block)];
    if (bits && expert !== undefined) {
      if (bits[Number(expert)] === 0) continue;
      left.set(name.replace(`experts.${expert}.`, `experts.${sum(bits.slice(0, Number(expert)))}.`), tensor);
    } else if (bits && name === routerOf(tensors, Number(block))) {
      const rows = tensor.values.filter((_, i) => bits[Math.floor(i / tensor.columns)] === 1);
      left.set(name, { rows: sum(bits), columns: tensor.columns, values: rows });
    } else left.set(name, tensor);
  }
  return left;
}

function oracleOf({ folder }: TemporaryFamily, tensors: StoredTensors): OracleModel {
  return mixtureModel(oracleConfig(readOracleConfig(folder).raw), tensors);
}

function bitsOf(count: number | undefined, bits: string | undefined): number[] {
  return count === undefined ? [] : [...unpackBits(bits!, count)];
}

/** Gives experts the first one's row of a router, in the file (BF16). */
async function makeAlike(folder: string, router: string, experts: readonly number[]): Promise<void> {
  const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8')) as {
    weight_map: Record<string, string>;
  };
  const file = join(folder, index.weight_map[router]!);
  const bytes = await readFile(file);
  const size = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + size)) as Record<
    string,
    { shape: [number, number]; data_offsets: [number, number] }
  >;
  const { shape, data_offsets: range } = header[router]!;
  const row = (expert: number): [number, number] => {
    const begin = 8 + size + range[0] + 2 * shape[1] * expert;
    return [begin, begin + 2 * shape[1]];
  };
  for (const expert of experts.slice(1)) bytes.copy(bytes, row(expert)[0], ...row(experts[0]!));
  await writeFile(file, bytes);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
