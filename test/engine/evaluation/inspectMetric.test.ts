import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { HISTOGRAM_BINS } from '../../../src/experiment/inspectionSchema.ts';
import type { MetricInspection } from '../../../src/experiment/inspectionSchema.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { Expression } from '../../../src/metric/expression.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import type { Matrix } from '../../support/oracle/matrix.ts';
import { valueOf } from '../../support/oracle/metric.ts';
import { loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { collectStatistics, evenSamples, type LayerStatistics } from '../../support/oracle/prune.ts';
import { inputOperands } from '../../support/oracle/statistics.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

const [LENGTH, SAMPLES] = [40, 3];
const [FIRST, LATER] = ['model.layers.0.self_attn.q_proj.weight', 'model.layers.1.mlp.down_proj.weight'];

let files: TemporaryFamily;
let engine: Engine;
let oracle: OracleModel;
let statistics: LayerStatistics;

beforeAll(async () => {
  files = await temporaryFamily('llama-3.1');
  engine = createEngine();
  oracle = loadOracle(files.folder);
  statistics = collectStatistics(oracle, evenSamples(tokenize(files.folder, files.calibration), SAMPLES, LENGTH));
});

afterAll(async () => {
  await engine.dispose();
  await files.remove();
});

describe('every node of a metric agrees with plain float64 loops', () => {
  test.each([
    ['W', FIRST],
    ['Wsigned', LATER],
    ['skp(Wsigned)', FIRST],
    ['mul(W, sqrt(X))', FIRST],
    ['mul(W, sqrt(X))', LATER],
    ['add(mms(mul(W, 0.5)), div(Xvar, zsn(neg(Wsigned))))', LATER],
    ['mul(sub(Xmax, Xabs), log(sqr(abs(Xmean))))', LATER],
    ['mul(pow(W), exp(tanh(X)))', FIRST],
    ['power(add(2, 0.5), W)', FIRST],
    ['div(X, 3)', FIRST],
    // Every zero of W − W makes NaN, every positive weight Infinity.
    ['quotient(W, sub(W, W))', FIRST],
    ['quotient(sub(W, W), sub(W, W))', FIRST],
    ['quotient(Wsigned, add(Wsigned, abs(Wsigned)))', LATER],
    ['exp(exp(add(exp(X), 9)))', FIRST],
    ['mms(sub(W, W))', FIRST],
  ])('%s on %s', async (metric, tensor) => {
    const expression = fromPrefix(metric);
    const found = await engine.inspect(plan(metric), tensor);
    const expected = walk(expression).map(({ node, path }) => ({ path, ...summary(valueOf(node, operands(tensor))) }));
    expect(found.nodes.map(({ path }) => path)).toEqual(expected.map(({ path }) => path));
    for (const [index, node] of found.nodes.entries()) {
      const { shape, minimum, maximum, mean, nonFinite, histogram, scale } = expected[index]!;
      expect(node.shape).toEqual(shape);
      expect(node.nonFinite).toBeCloseTo(nonFinite, 12);
      for (const [ours, theirs] of [
        [node.minimum, minimum],
        [node.maximum, maximum],
        [node.mean, mean],
      ]) {
        if (theirs === null) expect(ours).toBeNull();
        else expect(Math.abs(ours! - theirs!)).toBeLessThanOrEqual(2e-5 * scale);
      }
      // Values at the edge of a bin fall to either side of it in float32.
      const moved = node.histogram.reduce((sum, count, bin) => sum + Math.abs(count - histogram[bin]!), 0);
      expect(moved).toBeLessThanOrEqual(2 + 0.02 * shape[0] * shape[1]);
    }
  });

  test('a tree of 300 nodes and a chain 200 deep', async () => {
    const wide = (depth: number): string => (depth === 0 ? 'W' : `add(${wide(depth - 1)}, ${wide(depth - 1)})`);
    const chain = Array.from({ length: 200 }).reduce<string>((inner) => `abs(sub(W, ${inner}))`, 'W');
    const doubled = await engine.inspect(plan(wide(8)), FIRST);
    expect(doubled.nodes).toHaveLength(2 ** 9 - 1);
    const leaf = doubled.nodes.at(-1)!;
    expect(doubled.nodes[0]!.maximum).toBeCloseTo(256 * leaf.maximum!, 3);
    // |W − |W − … W||: 0 and W in turn.
    const [root, , second] = (await engine.inspect(plan(chain), FIRST)).nodes;
    expect(root!.maximum).toBe(leaf.maximum);
    expect(second!.path).toEqual([0, 0]);
  });
});

describe('what is kept', () => {
  test('nothing is calibrated twice, and no block before it is needed', async () => {
    const own = createEngine();
    const calibrated = async (metric: string, tensor: string | null, settings = {}): Promise<string[]> => {
      const seen = new Set<string>();
      const onProgress = ({ detail }: { detail: string }): unknown =>
        detail.startsWith('calibrating') && seen.add(detail.replace('calibrating, ', ''));
      await own.inspect(plan(metric, settings), tensor, { onProgress });
      return [...seen];
    };
    expect(await calibrated('W', null)).toEqual([]);
    expect(await calibrated('mul(W, X)', null)).toEqual(['block 1 of 3']);
    expect(await calibrated('mul(W, Xvar)', 'model.layers.0.mlp.down_proj.weight')).toEqual([]);
    expect(await calibrated('mul(W, X)', LATER)).toEqual(['block 2 of 3']);
    expect(await calibrated('X', FIRST)).toEqual([]);
    expect(await calibrated('X', LATER, { samples: 2 })).toEqual(['block 1 of 3', 'block 2 of 3']);
    await own.dispose();
  });

  test('the gradients of one question serve the next', async () => {
    const own = createEngine();
    const asked = async (metric: string, tensor: string): Promise<{ found: MetricInspection; details: string }> => {
      const seen: string[] = [];
      const onProgress = ({ detail }: { detail: string }): unknown => seen.push(detail);
      return { found: await own.inspect(plan(metric), tensor, { onProgress }), details: seen.join() };
    };
    const first = await asked('G', FIRST);
    expect(first.details).toContain('gradients');
    expect(first.found.nodes[0]).toMatchObject({ shape: [64, 64], nonFinite: 0 });
    expect(first.found.nodes[0]!.minimum).toBeGreaterThanOrEqual(0);
    expect(first.found.nodes[0]!.maximum).toBeGreaterThan(0);
    const second = await asked('mul(W, neg(G))', LATER);
    expect(second.details).not.toContain('gradients');
    const [root, , , gradient] = second.found.nodes;
    expect(root!.maximum).toBeLessThanOrEqual(0);
    expect(gradient!.shape).toEqual(root!.shape);
    expect(gradient!.maximum).not.toBe(first.found.nodes[0]!.maximum);
    await own.dispose();
  });

  test('an evaluation before or after it changes nothing', async () => {
    const [before] = await engine.evaluate(plan('mul(W, sqrt(X))'));
    const inspected = await engine.inspect(plan('mul(W, sqrt(X))'), LATER);
    const [after] = await engine.evaluate(plan('mul(W, sqrt(X))'));
    expect(after!.perplexity).toBe(before!.perplexity);
    expect(await engine.inspect(plan('mul(W, sqrt(X))'), LATER)).toEqual(inspected);
    const fresh = createEngine();
    expect(await fresh.inspect(plan('mul(W, sqrt(X))'), LATER)).toEqual(inspected);
    await fresh.dispose();
  });
});

test('the layers of a checkpoint are named, the first one is taken where none is', async () => {
  const found = await engine.inspect(plan('W'), null);
  expect(found).toMatchObject({ tensor: FIRST, shape: [64, 64] });
  expect(found.tensors).toHaveLength(21);
  expect(found.tensors).toEqual(expect.arrayContaining([FIRST, LATER]));
});

describe('a long one', () => {
  test.each([0, 1, 2, 4, 5, 7, 9])('stops when asked to after %i reports, and the next is right', async (reports) => {
    // Several batches to a block, so that it stops in the middle of one.
    const asked = plan('mul(W, sqrt(X))', { samples: 60 });
    const expected = await engine.inspect(asked, LATER);
    const own = createEngine();
    const stop = new AbortController();
    let seen = 0;
    const onProgress = (): void => {
      if (seen++ === reports) stop.abort();
    };
    const work = own.inspect(asked, LATER, { signal: stop.signal, onProgress });
    expect((await failure(work)).code).toBe('cancelled');
    expect(await own.inspect(asked, LATER)).toEqual(expected);
    await own.dispose();
  });

  test('and another piece of work at the same time is refused', async () => {
    const first = engine.inspect(plan('W'), null);
    expect((await failure(engine.evaluate(plan('W')))).code).toBe('engine/invariant');
    expect(await first).toMatchObject({ tensor: FIRST });
  });
});

test.each<[string, () => Promise<MetricInspection>, string, string]>([
  ['a layer that is not there', () => engine.inspect(plan('W'), 'lm_head.weight'), 'checkpoint/tensor', FIRST],
  ['no metric', () => engine.inspect({ ...plan('W'), evaluations: [] }, null), 'engine/invariant', 'a plan of one'],
  ['no calibration text', () => engine.inspect(withoutCalibration(plan('X')), null), 'settings/invalid', 'none'],
  ['too few tokens', () => engine.inspect(plan('X', { samples: 60_000 }), null), 'corpus/too-short', 'samples'],
  ['no checkpoint', () => engine.inspect({ ...plan('W'), model: '/no' }, null), 'checkpoint/not-found', '/no'],
])('%s is a coded error, and the engine goes on', async (_, work, code, words) => {
  const error = await failure(work());
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
  expect(await engine.inspect(plan('W'), null)).toMatchObject({ tensor: FIRST });
});

function plan(metric: string, settings: Partial<TextPlan['settings']> = {}): TextPlan {
  return {
    model: files.folder,
    text: files.textFile,
    calibration: files.calibrationFile,
    evaluations: [{ metric, expression: fromPrefix(metric), sparsity: { kind: 'unstructured', share: 0.5 } }],
    settings: {
      ...{ ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, offsets: 'even', blocks: 2 },
      ...{ length: LENGTH, samples: SAMPLES, ...settings },
    },
  };
}

/** The oracle's operands of a layer. */
function operands(tensor: string): Record<string, Matrix> {
  const weight = oracle.tensors.get(tensor)!;
  const [, block, name] = /layers\.(\d+)\.(.*)\.weight$/.exec(tensor)!;
  return {
    W: { ...weight, values: weight.values.map(Math.abs) },
    Wsigned: weight,
    ...inputOperands(statistics.get(`${block}.${name}`)!),
  };
}

function walk(node: Expression, path: readonly number[] = []): { node: Expression; path: readonly number[] }[] {
  const inner = node.kind === 'operation' ? node.arguments : [];
  return [{ node, path }, ...inner.flatMap((argument, index) => walk(argument, [...path, index]))];
}

/** Statistics in float64; `scale` is what differences are measured by. Values beyond float32 are infinite in the engine. */
function summary({ rows, columns, values }: Matrix) {
  const finite = values.filter((value) => Number.isFinite(Math.fround(value)));
  const [minimum, maximum] = [Math.min(...finite), Math.max(...finite)];
  const histogram = new Array<number>(HISTOGRAM_BINS).fill(0);
  for (const value of finite) {
    const place = maximum > minimum ? (value - minimum) / (maximum - minimum) : 0;
    histogram[Math.min(HISTOGRAM_BINS - 1, Math.floor(place * HISTOGRAM_BINS))]!++;
  }
  return {
    shape: [rows, columns] as const,
    nonFinite: 1 - finite.length / values.length,
    histogram,
    ...(finite.length > 0
      ? { minimum, maximum, mean: finite.reduce((a, b) => a + b) / finite.length }
      : { minimum: null, maximum: null, mean: null }),
    scale: Math.max(1e-30, ...finite.map(Math.abs)),
  };
}

function withoutCalibration({ model, text, evaluations, settings }: TextPlan): TextPlan {
  return { model, text, evaluations, settings };
}

async function failure(work: Promise<unknown>): Promise<EspalierError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(EspalierError);
  return thrown as EspalierError;
}
