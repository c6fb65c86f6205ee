import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import type { WeightUpdate } from '../../../src/experiment/updates.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// Where memory is short, hidden states lie in files. That is said, and decides no number.

/** What the engine is told to be free; undefined leaves it what it is. */
const pretended = vi.hoisted((): { memory?: number | undefined } => ({}));
vi.mock(import('../../../src/engine/runtime/memory.ts'), async (original) => {
  const { availableMemory } = await original();
  return { availableMemory: () => pretended.memory ?? availableMemory() };
});

let family: TemporaryFamily;
let cacheFolder: string;
beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  cacheFolder = await mkdtemp(join(tmpdir(), 'espalier-short-'));
});
afterAll(async () => {
  await family.remove();
  await rm(cacheFolder, { recursive: true });
});

/** In an engine of its own, which remembers nothing. */
async function withMemory<Found>(memory: number | undefined, ask: (engine: Engine) => Promise<Found>): Promise<Found> {
  const engine = createEngine({ cacheFolder });
  pretended.memory = memory;
  try {
    return await ask(engine);
  } finally {
    pretended.memory = undefined;
    await engine.dispose();
  }
}

const SHORT = 200_000;

test.each<[string, readonly string[], Partial<EvaluationSettings>, WeightUpdate?]>([
  ['the dense model', [], {}],
  ['metrics that are calibrated one after the other', ['mul(W, sqrt(X))', 'mul(W, Xmax)'], {}],
  ['the same in one', ['mul(W, sqrt(X))', 'mul(W, Xmax)'], { calibrate: 'one-shot' }],
  ['an update', ['mul(W, sqrt(X))'], {}, { method: 'admm', iterations: 20, damping: 0.1 }],
])(
  'perplexities are equal to the last bit, and said to be of states on disk: %s',
  async (_, metrics, settings, update) => {
    const ask = (memory?: number) =>
      withMemory(memory, (engine) => engine.evaluate(plan(metrics, settings, update), {}));
    const [held, filed] = [await ask(), await ask(SHORT)];
    const numbers = (of: typeof held) =>
      of.map(({ metric, perplexity, densePerplexity, fingerprint }) => [
        metric,
        perplexity,
        densePerplexity,
        fingerprint,
      ]);
    expect(numbers(filed)).toEqual(numbers(held));
    expect(held.map(({ hiddenStates }) => hiddenStates)).toEqual(held.map(() => undefined));
    expect(filed.map(({ hiddenStates }) => hiddenStates)).toEqual(filed.map(() => 'disk'));
  },
);

test('a preflight says where they will lie, and what of the disk they take', async () => {
  const asked = plan(['mul(W, sqrt(X))'], {});
  const [held, filed] = [
    await withMemory(undefined, (engine) => engine.preflight(asked)),
    await withMemory(SHORT, (engine) => engine.preflight(asked)),
  ];
  // Of the dense model and of the pruned one: 8 blocks of 32 tokens and 3 samples, of 64 features each.
  const bytes = 2 * 4 * 64 * (8 + 3) * 32;
  expect(filed.costs).toContainEqual({ name: 'hidden states', kind: 'disk', bytes });
  expect(held.costs.filter(({ kind }) => kind === 'disk')).toEqual([]);
  expect(filed.warnings).toEqual([expect.stringContaining(cacheFolder)]);
  expect(held.warnings).toEqual([]);
});

test('an evaluation that is cancelled leaves no file', async () => {
  const cancelled = new AbortController();
  const steps = new Set<string>();
  await expect(
    withMemory(SHORT, (engine) =>
      engine.evaluate(plan([], {}), {
        signal: cancelled.signal,
        onProgress: ({ detail }) => {
          steps.add(detail);
          if (detail.includes('block 2')) cancelled.abort();
        },
      }),
    ),
  ).rejects.toMatchObject({ code: 'cancelled' });
  expect([...steps].some((detail) => detail.includes('block 2'))).toBe(true);
  expect((await readdir(cacheFolder)).filter((name) => name.includes('states'))).toEqual([]);
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
      ...{ device: 'cpu', threads: 1, samples: 3, length: 32, blocks: 8, offsets: 'even' },
      ...settings,
    },
  };
}
