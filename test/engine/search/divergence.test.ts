import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, listDevices } from '../../../src/engine/engine.ts';
import { blockOrder } from '../../../src/engine/search/blockOrder.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { measureMetrics } from '../../support/measuring.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { divergence } from '../../support/oracle/divergence.ts';
import { loadOracle, oracleModel } from '../../support/oracle/model.ts';
import { pruned } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

const half = { kind: 'unstructured', share: 0.5 } as const;
const magnitude = parsePrefix('W');
const BLOCKS = 5;
const webgpu = (await listDevices()).find(({ name }) => name === 'webgpu')!;

function planOf(files: TemporaryFamily, length: number, settings = {}): MetricSearchPlan {
  return {
    kind: 'metrics',
    name: 'evolved',
    model: files.folder,
    text: files.textFile,
    sparsity: half,
    ...{ operations: [], operands: ['W'], seeds: [], baselines: [] },
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', calibrate: 'one-shot', blocks: BLOCKS, length, ...settings },
    search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, objective: 'kl' },
  };
}

describe.each<FamilyName>(['llama-3.1', 'opt-350m', 'gemma2', 'mixtral'])('KL(dense ‖ pruned) of %s', (family) => {
  let files: TemporaryFamily;
  const engine = createEngine();
  const { length } = FAMILIES[family];

  beforeAll(async () => {
    files = await temporaryFamily(family);
  });
  afterAll(async () => {
    await engine.dispose();
    await files.remove();
  });

  test('is that of float64, block by block; the dense model has none', async () => {
    const opening = await engine.open(planOf(files, length));
    expect(opening).toMatchObject({ objective: 'kl', denseLosses: Array(BLOCKS).fill(0) });
    const dense = loadOracle(files.folder);
    const config = readOracleConfig(files.folder);
    const how = { expression: magnitude, sparsity: half, group: 'row', calibrate: 'one-shot', samples: [] } as const;
    const other = pruned(dense, (tensors) => oracleModel(config, tensors), how);
    const ids = tokenize(files.folder, files.text);
    const order = blockOrder(BLOCKS).map((block) => ids.slice(block * length, (block + 1) * length));
    for (const [begin, end] of [
      [0, 1],
      [1, 5],
    ] as const) {
      const [measured] = await measureMetrics(engine, [magnitude], begin, end);
      if (measured!.answer.kind !== 'loss') throw new Error(measured!.answer.detail);
      const expected = divergence(dense, other, order.slice(begin, end));
      expect(measured!.answer.loss / expected).toBeCloseTo(1, 4);
      expect(expected).toBeGreaterThan(1e-3);
    }
  });
});

describe('a divergence', () => {
  let files: TemporaryFamily;
  const engine = createEngine();
  const { length } = FAMILIES['llama-3.1'];

  beforeAll(async () => {
    files = await temporaryFamily('llama-3.1');
  });
  afterAll(async () => {
    await engine.dispose();
    await files.remove();
  });

  test('is the same alone and among others, and with any number of threads, to the last bit', async () => {
    const others = ['Wsigned', 'sqr(W)', 'mul(W, Wsigned)'].map(parsePrefix);
    const bits = new Set<number>();
    for (const threads of [1, 2, 3]) {
      await engine.open(planOf(files, length, { threads }));
      for (const metrics of [[magnitude], [...others, magnitude]]) {
        const { answer } = (await measureMetrics(engine, metrics, 0, BLOCKS)).at(-1)!;
        bits.add(answer.kind === 'loss' ? answer.loss : NaN);
      }
    }
    expect(bits.size).toBe(1);
  });

  test('has measurements of its own: its opening is another than that of perplexity, which is as it always was', async () => {
    const plan = planOf(files, length);
    const kl = await engine.open(plan);
    const perplexity = await engine.open({ ...plan, search: DEFAULT_METRIC_SEARCH_SETTINGS });
    expect(kl.fingerprint).not.toBe(perplexity.fingerprint);
    expect(kl.densePerplexity).toBe(perplexity.densePerplexity);
    expect(perplexity).not.toHaveProperty('objective');
  });

  test.runIf(webgpu.works)('is the CPU’s on WebGPU', async () => {
    // Again with states that are there, and others of which some are there with others.
    const ranges = [[0, BLOCKS], [0, BLOCKS], [0, 2], [1, BLOCKS]] as const; // prettier-ignore
    const [losses, expected] = [[] as number[], [] as number[]];
    for (const [device, into] of [
      ['cpu', expected],
      ['webgpu', losses],
    ] as const) {
      await engine.open(planOf(files, length, { device }));
      for (const [begin, end] of ranges) {
        const { answer } = (await measureMetrics(engine, [magnitude], begin, end))[0]!;
        into.push(answer.kind === 'loss' ? answer.loss : NaN);
      }
    }
    for (const [i, loss] of losses.entries()) expect(loss / expected[i]!).toBeCloseTo(1, 4);
    expect(losses[1]).toBe(losses[0]);
  });
});
