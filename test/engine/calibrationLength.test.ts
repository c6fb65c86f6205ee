import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { TextPlan, PlannedEvaluation } from '../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../src/experiment/settings.ts';
import type { StructureMethod } from '../../src/experiment/structure.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { failureOf } from '../support/expectCoded.ts';
import type { FamilyName } from '../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../support/generate/temporaryFamily.ts';
import { measureMetrics } from '../support/measuring.ts';

// Samples of another length than evaluation blocks: what goes is what goes at the samples' length, and what is evaluated on is as long as
// before. In the family with dynamic rotary scaling the very programs depend on the length.

const half = { kind: 'unstructured', share: 0.5 } as const;
const metric = (text: string): PlannedEvaluation => ({
  metric: text,
  expression: parsePrefix(text),
  sparsity: half,
});
const structure = (method: StructureMethod): PlannedEvaluation => ({
  metric: method,
  structure: { kind: 'scored', score: { kind: 'method', method }, rates: { kind: 'uniform' } },
  sparsity: half,
});

const [SHORT, LONG] = [12, 30];

describe.each<FamilyName>(['llama dynamic', 'opt'])('samples of their own length, %s', (name) => {
  let family: TemporaryFamily;
  let engine: Engine;
  beforeAll(async () => {
    family = await temporaryFamily(name);
    engine = createEngine();
  });
  afterAll(async () => {
    await engine.dispose();
    await family.remove();
  });

  const planOf = (evaluations: readonly PlannedEvaluation[], settings: Partial<EvaluationSettings>): TextPlan => ({
    model: family.folder,
    text: family.textFile,
    calibration: family.calibrationFile,
    evaluations,
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 3, blocks: 2, offsets: 'even', ...settings },
  });

  /** The result, and everything that was removed. */
  const evaluate = async (evaluation: PlannedEvaluation, settings: Partial<EvaluationSettings>) => {
    const gone: unknown[] = [];
    const [result] = await engine.evaluate(planOf([evaluation], settings), {
      onPruned: ({ tensor, weight }) => gone.push([tensor, Array.from(weight, (value) => value === 0)]),
      onRemoved: ({ mask }) => gone.push(mask),
    });
    return { result: result!, gone };
  };

  it.each<[string, PlannedEvaluation, Partial<EvaluationSettings>]>([
    ['a metric of inputs, sequential', metric('mul(W, sqrt(X))'), {}],
    ['a metric of inputs, one-shot', metric('mul(W, sqrt(X))'), { calibrate: 'one-shot' }],
    ['a metric of gradients', metric('mul(W, G)'), {}],
    ['heads and channels by the inputs', structure('flap'), {}],
    ['heads and channels by gradients', structure('taylor'), {}],
    ['whole blocks', structure('shortgpt'), {}],
  ])('prune as at that length, and are evaluated as before: %s', async (_, evaluation, settings) => {
    const lengths = [
      { length: LONG, calibrationLength: SHORT },
      { length: SHORT, calibrationLength: LONG },
    ];
    for (const { length, calibrationLength } of lengths) {
      const own = await evaluate(evaluation, { ...settings, length, calibrationLength });
      const ofSamples = await evaluate(evaluation, { ...settings, length: calibrationLength });
      const ofBlocks = await evaluate(evaluation, { ...settings, length });
      expect(own.gone).toEqual(ofSamples.gone);
      expect(own.result.densePerplexity).toBe(ofBlocks.result.densePerplexity);
      expect(own.result.provenance).toMatchObject({ length, calibrationLength });
      const fingerprints = [own, ofSamples, ofBlocks].map(({ result }) => result.fingerprint);
      expect(new Set(fingerprints).size).toBe(3);
    }
  });

  it('are those of blocks where both are the same, under the same fingerprint', async () => {
    const wanda = metric('mul(W, sqrt(X))');
    const said = await evaluate(wanda, { length: LONG, calibrationLength: LONG });
    const left = await evaluate(wanda, { length: LONG });
    expect(said.result.fingerprint).toBe(left.result.fingerprint);
    expect(said.result.perplexity).toBe(left.result.perplexity);
    expect(said.result.provenance).toEqual(left.result.provenance);
  });

  it('count in a preflight, in what nodes compute, and in a search', async () => {
    const evaluations = [metric('mul(W, add(sqrt(X), G))')];
    const settings = { length: LONG, calibrationLength: SHORT };
    const own = await engine.preflight(planOf(evaluations, settings));
    const ofBlocks = await engine.preflight(planOf(evaluations, { length: LONG }));
    expect(own.flops).toBeLessThan(ofBlocks.flops);
    const nodes = (await engine.inspect(planOf(evaluations, settings), null)).nodes;
    expect(nodes).toEqual((await engine.inspect(planOf(evaluations, { length: SHORT }), null)).nodes);
    const search = {
      name: 's',
      ...planOf([], settings),
      sparsity: half,
      kind: 'metrics',
      operands: ['W', 'X', 'G'] as const,
      operations: ['mul', 'sqrt'] as const,
      seeds: [],
      baselines: [],
      search: DEFAULT_METRIC_SEARCH_SETTINGS,
    };
    const open = async (more: Partial<EvaluationSettings>) => {
      const plan = { ...search, settings: { ...search.settings, ...more } };
      const opening = await engine.open<'metrics'>(plan as never);
      const [measured] = await measureMetrics(engine, [parsePrefix('mul(W, sqrt(X))')], 0, opening.blocks);
      return { opening, measured };
    };
    const found = await open({});
    const oneShot = await evaluate(metric('mul(W, sqrt(X))'), { ...settings, calibrate: 'one-shot' });
    expect(found.opening.densePerplexity).toBeCloseTo(oneShot.result.densePerplexity, 4);
    const { loss } = found.measured!.answer as unknown as { loss: number };
    expect(Math.exp(loss)).toBeCloseTo(oneShot.result.perplexity, 3);
    expect((await open({ calibrationLength: 0 })).opening.fingerprint).not.toBe(found.opening.fingerprint);
  });

  it('have two tokens at least', async () => {
    const failure = await failureOf(() => evaluate(metric('mul(W, G)'), { length: LONG, calibrationLength: 1 }));
    expect(failure.code).toBe('settings/invalid');
    expect(failure.message).toMatch(/at least 2 tokens in a sample/);
  });
});
