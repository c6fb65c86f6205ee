import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { needsConfirmation } from '../../../src/experiment/preflight.ts';
import type { EvaluationProgress } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

/** What the engine is told to be free; undefined leaves it what it is. */
const pretended = vi.hoisted((): { memory?: number | undefined } => ({}));
vi.mock(import('../../../src/engine/runtime/memory.ts'), async (original) => {
  const { availableMemory } = await original();
  return { availableMemory: () => pretended.memory ?? availableMemory() };
});

let family: TemporaryFamily;
let cacheFolder: string;
let engine: Engine;
beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  cacheFolder = await mkdtemp(join(tmpdir(), 'espalier-preflight-'));
  engine = createEngine({ cacheFolder });
});
afterAll(async () => {
  await engine.dispose();
  await family.remove();
  await rm(cacheFolder, { recursive: true });
});

test.each<[string, readonly string[], Partial<EvaluationSettings>]>([
  ['the dense model', [], {}],
  ['a metric of the weights', ['W'], {}],
  ['two that are calibrated one after the other', ['mul(W, sqrt(X))', 'mul(W, Xmax)'], {}],
  ['the same in one', ['mul(W, sqrt(X))', 'mul(W, Xmax)'], { calibrate: 'one-shot' }],
  ['gradients that are not there', ['mul(W, G)'], { samples: 5 }],
  ['gradients that are', ['mul(W, G)'], { samples: 5, blocks: 3 }],
])('the steps that are foretold are those that are done: %s', async (_, metrics, settings) => {
  const { steps } = await engine.preflight(plan(metrics, settings));
  const seen: EvaluationProgress[] = [];
  await engine.evaluate(plan(metrics, settings), { onProgress: (progress) => seen.push(progress) });
  const counted = seen.filter(({ stage }) => stage === 'gradients' || stage === 'evaluating');
  expect(counted.length).toBe(steps);
  expect(counted.at(-1)!.total).toBe(steps);
});

test('gradients are to be computed, with what they take on disk, until they are kept', async () => {
  const asked = plan(['mul(W, G)'], { samples: 2 });
  const before = await engine.preflight(asked);
  expect(before.gradients).toBe('to compute');
  // Three blocks of float32 gradients like the linear weights: q, k, v, o, gate, up and down.
  const bytes = 3 * 4 * (64 * 64 * 2 + 32 * 64 * 2 + 3 * 64 * 56);
  expect(before.costs.filter(({ kind }) => kind === 'disk')).toEqual([{ name: 'gradients', kind: 'disk', bytes }]);
  await engine.evaluate(asked);
  const after = await engine.preflight(asked);
  expect(after.gradients).toBe('cached');
  expect(after.costs.some(({ kind }) => kind === 'disk')).toBe(false);
  expect(after.flops).toBeLessThan(before.flops);
  expect((await engine.preflight(plan(['W'], {}))).gradients).toBe('not needed');
});

test('work grows with what is evaluated, and time with it', async () => {
  const [few, many] = [
    await engine.preflight(plan(['W'], { blocks: 1 })),
    await engine.preflight(plan(['W'], { blocks: 4 })),
  ];
  expect(many.flops / few.flops).toBeCloseTo(4, 6);
  expect(many.seconds).toBeGreaterThan(0);
  expect(many.gigaflops).toBeGreaterThan(0);
  expect(needsConfirmation({ ...many, seconds: 119 })).toBe(false);
  expect(needsConfirmation({ ...many, seconds: 121 })).toBe(true);
});

test('too little memory is said, and asked about', async () => {
  pretended.memory = 100_000;
  try {
    const preflight = await engine.preflight(plan(['W'], {}));
    expect(preflight.free.memory).toBe(100_000);
    expect(preflight.problems).toEqual([expect.stringMatching(/^Too little memory: it takes .* 0\.0001.* free/)]);
    expect(needsConfirmation(preflight)).toBe(true);
  } finally {
    pretended.memory = undefined;
  }
});

test('what could not be evaluated is refused here already', async () => {
  await expect(engine.preflight(plan(['W'], { blocks: 100_000 }))).rejects.toMatchObject({ code: 'corpus/too-short' });
  await expect(engine.preflight({ ...plan([], {}), model: '/nowhere' })).rejects.toMatchObject({
    code: 'checkpoint/not-found',
  });
});

function plan(metrics: readonly string[], settings: Partial<EvaluationSettings>): EvaluationPlan {
  return {
    model: family.folder,
    text: family.textFile,
    calibration: family.calibrationFile,
    evaluations: metrics.map((metric) => ({
      metric,
      expression: fromPrefix(metric),
      sparsity: { kind: 'unstructured', share: 0.5 },
    })),
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads: 1, samples: 3, length: 32, blocks: 2, offsets: 'even' },
      ...settings,
    },
  };
}
