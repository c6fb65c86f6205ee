import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { blockOrder } from '../../../src/engine/search/blockOrder.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SEARCH_OPERATIONS, type MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import type { SearchOpening } from '../../../src/search/lifecycle/events.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { measureMasks, measureMetrics, measureRates } from '../../support/measuring.ts';

let files: TemporaryFamily;
let engine: Engine;
let plan: MetricSearchPlan;
let opening: SearchOpening;

const half = { kind: 'unstructured', share: 0.5 } as const;
const wanda = parsePrefix('mul(W, sqrt(X))');

beforeAll(async () => {
  files = await temporaryFamily('llama-3.1');
  engine = createEngine();
  plan = {
    kind: 'metrics',
    name: 'evolved',
    model: files.folder,
    text: files.textFile,
    calibration: files.calibrationFile,
    sparsity: half,
    operations: DEFAULT_SEARCH_OPERATIONS,
    operands: ['W', 'X'],
    seeds: [],
    baselines: [],
    settings: {
      ...DEFAULT_SETTINGS,
      device: 'cpu',
      calibrate: 'one-shot',
      samples: 3,
      blocks: 5,
      offsets: 'even',
      length: FAMILIES['llama-3.1'].length,
    },
    search: DEFAULT_METRIC_SEARCH_SETTINGS,
  };
  opening = await engine.open(plan);
});

afterAll(async () => {
  await engine.dispose();
  await files.remove();
});

/** The same plan as an ordinary evaluation, one-shot as candidates are. */
function evaluation(...expressions: readonly string[]): TextPlan {
  const { model, text, calibration, settings } = plan;
  return {
    model,
    text,
    calibration: calibration!,
    evaluations: expressions.map((text) => ({ metric: text, expression: parsePrefix(text), sparsity: half })),
    settings,
  };
}

describe('measuring candidates', () => {
  test('the dense losses are those of an evaluation', async () => {
    const [dense] = await engine.evaluate(evaluation());
    expect(opening.blocks).toBe(5);
    expect(opening.denseLosses).toHaveLength(5);
    expect(opening.densePerplexity).toBeCloseTo(dense!.perplexity, 5);
  });

  test.each(['mul(W, sqrt(X))', 'W', 'X', 'zsn(add(W, X))', 'mms(neg(mul(W, X)))'])(
    '%s: rungs add up to the perplexity of an evaluation',
    async (text) => {
      const [result] = await engine.evaluate(evaluation(text));
      const losses: number[] = [];
      for (const [begin, end] of [
        [0, 1],
        [1, 3],
        [3, 5],
      ] as const) {
        const [outcome] = await measureMetrics(engine, [parsePrefix(text)], begin, end);
        const { answer: measure } = outcome!;
        if (measure.kind !== 'loss') throw new Error(`${text} is ${measure.reason}`);
        expect(measure.blocks).toBe(end - begin);
        losses.push(measure.loss * measure.blocks);
      }
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / 5;
      expect(Math.exp(mean) / result!.perplexity).toBeCloseTo(1, 5);
    },
  );

  test('a candidate has the same loss alone and among others, to the last bit', async () => {
    const others = ['W', 'sqr(W)', 'add(W, X)'].map(parsePrefix);
    const [alone] = await measureMetrics(engine, [wanda], 0, 5);
    const among = await measureMetrics(engine, [...others, wanda], 0, 5);
    expect(among[3]!.answer).toEqual(alone!.answer);
  });

  test.each([
    ['sub(W, W)', 'constant'],
    ['exp(exp(add(exp(X), 9)))', 'not-finite'],
  ])('%s is invalid: %s, and the others of its batch are measured', async (text, reason) => {
    const outcomes = await measureMetrics(engine, [parsePrefix(text), wanda], 0, 1);
    expect(outcomes[0]!.answer).toMatchObject({ kind: 'invalid', reason });
    expect(outcomes[1]!.answer.kind).toBe('loss');
  });

  test.each([
    [-1, 1],
    [2, 2],
    [0, 6],
  ])('blocks %d to %d are refused', async (begin, end) => {
    await expect(measureMetrics(engine, [wanda], begin, end)).rejects.toMatchObject({ code: 'engine/invariant' });
  });
});

test('a search for metrics measures neither rates, nor masks, nor samples, and scores no components', async () => {
  const rates = measureRates(engine, [[0.5, 0.5, 0.5]], 0, 1);
  await expect(rates).rejects.toMatchObject({ code: 'engine/invariant' });
  const samples = measureMasks(engine, [], { kind: 'samples', offsets: [0], tokens: 2 });
  await expect(samples).rejects.toMatchObject({ code: 'engine/invariant' });
  const scores = engine.componentScores({ kind: 'method', method: 'wanda-sp' });
  await expect(scores).rejects.toMatchObject({ code: 'engine/invariant' });
});

describe('probing candidates', () => {
  const fingerprint = async (text: string): Promise<string> => {
    const [outcome] = await engine.probe({ expressions: [parsePrefix(text)] });
    const { answer: probe } = outcome!;
    if (probe.kind === 'invalid') return probe.reason;
    expect(probe.whole).toBe(true);
    return probe.fingerprint;
  };

  test.each([
    ['mul(W, sqrt(X))', 'mul(sqrt(X), W)', true],
    ['mul(W, sqrt(X))', 'mms(mul(W, sqrt(X)))', true],
    ['mul(W, sqrt(X))', 'sqr(mul(W, sqrt(X)))', true],
    ['W', 'zsn(W)', true],
    ['W', 'mul(W, sqrt(X))', false],
    ['W', 'neg(W)', false],
    ['mul(W, X)', 'mul(W, sqrt(X))', false],
  ])('%s and %s remove the same weights: %s', async (a, b, same) => {
    expect((await fingerprint(a)) === (await fingerprint(b))).toBe(same);
  });

  test.each([
    ['sub(X, X)', 'constant'],
    ['exp(exp(add(exp(X), 9)))', 'not-finite'],
  ])('%s cannot rank: %s', async (text, reason) => {
    expect(await fingerprint(text)).toBe(reason);
  });
});

describe('comparing masks', () => {
  const compare = async (text: string, against: string | null): Promise<unknown> => {
    const other = against === null ? null : parsePrefix(against);
    const [outcome] = await engine.probe({ expressions: [parsePrefix(text)], against: [other] });
    return outcome!.answer;
  };

  test('counts the weights that the one removes and the other keeps', async () => {
    const texts = ['W', 'mul(W, sqrt(X))'];
    const masks = texts.map((): Uint8Array[] => []);
    // An evaluation visits the same layers, one after the other, with the same statistics.
    await engine.evaluate(evaluation(...texts), {
      onPruned: ({ weight }, index) => masks[index]!.push(Uint8Array.from(weight, (value) => (value === 0 ? 1 : 0))),
    });
    const [a, b] = masks.map((layers) => layers.flatMap((layer) => [...layer])) as [number[], number[]];
    const differing = a.filter((bit, i) => bit !== b[i]).length;
    expect(differing).toBeGreaterThan(0);
    await engine.open(plan);
    expect(await compare(texts[0]!, texts[1]!)).toMatchObject({ kind: 'ranks', changed: differing / a.length });
    expect(await compare(texts[1]!, texts[0]!)).toMatchObject({ kind: 'ranks', changed: differing / a.length });
  });

  test('a step that changes no ranking changes nothing, a larger one more than a smaller', async () => {
    expect(await compare('mul(2, power(W, 1.3))', 'W')).toMatchObject({ changed: 0 });
    const changed: number[] = [];
    for (const exponent of [0.51, 0.55, 0.7, 1]) {
      const answer = await compare(`mul(W, power(X, ${exponent}))`, 'mul(W, sqrt(X))');
      changed.push((answer as { readonly changed: number }).changed);
    }
    expect(changed).toEqual([...changed].sort((a, b) => a - b));
    expect(changed.at(-1)).toBeGreaterThan(0.01);
    expect(changed.at(-1)).toBeLessThan(0.5);
  });

  test('says nothing where nothing was named, and has the fingerprint that it has alone', async () => {
    const alone = await compare('W', null);
    expect(Object.keys(alone as object).sort()).toEqual(['fingerprint', 'kind', 'whole']);
    expect(await compare('W', 'X')).toMatchObject(alone as object);
    expect(await compare('exp(exp(add(exp(X), 9)))', 'W')).toMatchObject({ kind: 'invalid', reason: 'not-finite' });
  });

  test.each([
    ['with what cannot rank', [parsePrefix('sub(X, X)')]],
    ['with one metric too few', []],
  ])('%s is refused', async (_, against) => {
    const probe = engine.probe({ expressions: [wanda], against });
    await expect(probe).rejects.toMatchObject({ code: 'engine/invariant' });
  });
});

describe('a session', () => {
  test('ends when another model takes its place, and says so', async () => {
    const other = await temporaryFamily('opt');
    try {
      await engine.evaluate({ ...evaluation(), model: other.folder, text: other.textFile });
      await expect(measureMetrics(engine, [wanda], 0, 1)).rejects.toMatchObject({
        code: 'engine/invariant',
        data: { expected: 'an open search' },
      });
      expect(await engine.open(plan)).toEqual(opening);
    } finally {
      await other.remove();
    }
  });

  test('is cancelled between two programs', async () => {
    const controller = new AbortController();
    const measuring = measureMetrics(engine, [wanda], 0, 5, { signal: controller.signal });
    controller.abort();
    await expect(measuring).rejects.toSatisfy((error) => error instanceof EspalierError && error.code === 'cancelled');
    expect((await measureMetrics(engine, [wanda], 0, 1))[0]!.answer.kind).toBe('loss');
  });

  test('threads do not change a loss', async () => {
    const single = createEngine();
    try {
      const one = await single.open({ ...plan, settings: { ...plan.settings, threads: 1 } });
      expect(one.denseLosses).toEqual(opening.denseLosses);
      const [a] = await measureMetrics(single, [wanda], 0, 5);
      const [b] = await measureMetrics(engine, [wanda], 0, 5);
      expect(a!.answer).toEqual(b!.answer);
    } finally {
      await single.dispose();
    }
  });
});

describe('the order of the blocks', () => {
  test.each([1, 2, 7, 64, 1000])('of %d blocks is a permutation whose beginnings are spread', (count) => {
    const order = blockOrder(count);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
    const first = order.slice(0, Math.ceil(count / 4));
    const mean = first.reduce((sum, index) => sum + index, 0) / first.length;
    if (count >= 64) expect(Math.abs(mean / (count - 1) - 0.5)).toBeLessThan(0.2);
  });
});
