import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { needsConfirmation } from '../../../src/experiment/preflight.ts';
import type { Preflight } from '../../../src/experiment/preflightSchema.ts';
import type { EvaluationProgress } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

/** What the engine is told to be free; undefined leaves it what it is. */
const pretended = vi.hoisted((): { memory?: number | undefined } => ({}));
vi.mock(import('../../../src/engine/runtime/memory.ts'), async (original) => {
  const { availableMemory } = await original();
  return { availableMemory: () => pretended.memory ?? availableMemory() };
});

const ADMM = { method: 'admm', iterations: 20, damping: 0.1 } as const;

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

test.each<[string, readonly string[], Partial<EvaluationSettings>, WeightUpdate?]>([
  ['the dense model', [], {}],
  ['a metric of the weights', ['W'], {}],
  ['two that are calibrated one after the other', ['mul(W, sqrt(X))', 'mul(W, Xmax)'], {}],
  ['the same in one', ['mul(W, sqrt(X))', 'mul(W, Xmax)'], { calibrate: 'one-shot' }],
  ['gradients that are not there', ['mul(W, G)'], { samples: 5 }],
  ['gradients that are', ['mul(W, G)'], { samples: 5, blocks: 3 }],
  ['updates', ['W', 'mul(W, sqrt(X))'], {}, ADMM],
  ['updates that share H', ['W', 'mul(W, sqrt(X))'], { calibrate: 'one-shot' }, ADMM],
])('the steps that are foretold are those that are done: %s', async (_, metrics, settings, update) => {
  const asked = plan(metrics, settings, update);
  const { steps } = await engine.preflight(asked);
  const seen: EvaluationProgress[] = [];
  await engine.evaluate(asked, { onProgress: (progress) => seen.push(progress) });
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

test('an update costs work, and the memory of H and its factors', async () => {
  const [without, one, two, shared] = [
    await engine.preflight(plan(['W'], {})),
    await engine.preflight(plan(['W'], {}, ADMM)),
    await engine.preflight(plan(['W', 'Wsigned'], {}, ADMM)),
    await engine.preflight(plan(['W', 'Wsigned'], { calibrate: 'one-shot' }, ADMM)),
  ];
  const ofGrams = ({ costs }: Preflight): number => costs.find(({ name }) => name === 'H and its factors')?.bytes ?? 0;
  expect([without, one].map(ofGrams).map((bytes) => bytes > 0)).toEqual([false, true]);
  // H of q, k and v, of o, of gate and up (64² each) and of down (56²): sums of before and after a batch.
  expect(ofGrams(one)).toBeGreaterThan(2 * 4 * (3 * 64 ** 2 + 56 ** 2));
  expect(ofGrams(two)).toBe(ofGrams(one));
  expect(ofGrams(shared)).toBeGreaterThan(ofGrams(one));
  expect(one.flops).toBeGreaterThan(without.flops);
  // One after the other has H and its inverse twice.
  expect(two.flops).toBeGreaterThan(shared.flops);
  expect(shared.warnings.filter((text) => text.includes('H'))).toEqual([]);
});

function plan(
  metrics: readonly string[],
  settings: Partial<EvaluationSettings>,
  update?: WeightUpdate,
): EvaluationPlan {
  return {
    model: family.folder,
    text: family.textFile,
    calibration: family.calibrationFile,
    evaluations: metrics.map((metric) => ({
      metric,
      expression: fromPrefix(metric),
      sparsity: { kind: 'unstructured', share: 0.5 },
      ...(update && { update }),
    })),
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads: 1, samples: 3, length: 32, blocks: 2, offsets: 'even' },
      ...settings,
    },
  };
}
