import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import type { EngineState } from '../../../src/engine/evaluation/prepareSweep.ts';
import { LoadedModels } from '../../../src/engine/forward/loadedModels.ts';
import { TokenCache } from '../../../src/engine/forward/tokenCache.ts';
import { LoadedGradients } from '../../../src/engine/gradient/loadedGradients.ts';
import { RecoverySession, saveRecovery } from '../../../src/engine/recovery/recoverySession.ts';
import { OpenDevices } from '../../../src/engine/runtime/openDevices.ts';
import { DEFAULT_RECOVERY_SETTINGS, type Recovery } from '../../../src/experiment/recovery.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { RecoveryPlan } from '../../../src/search/recovery/plan.ts';
import { stateFile } from '../../../src/files/stateFiles.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

const LENGTH = 12;
let family: TemporaryFamily;
let folder: string;
beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-recovery-test-'));
});
afterAll(async () => {
  await family.remove();
  await rm(folder, { recursive: true });
});

const WANDA: RecoveryPlan['evaluation'] = {
  metric: 'wanda',
  expression: fromPrefix('mul(W, sqrt(X))'),
  sparsity: { kind: 'unstructured', share: 0.5 },
};
const HEADS: RecoveryPlan['evaluation'] = {
  metric: 'wanda-sp',
  structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
  sparsity: { kind: 'unstructured', share: 0.5 },
};

function planOf(
  recovery: Partial<Recovery> = {},
  evaluation: RecoveryPlan['evaluation'] | null = WANDA,
  threads = 1,
): RecoveryPlan {
  return {
    ...{ kind: 'recovery', name: 'test', model: family.folder, text: family.textFile, train: family.textFile },
    calibration: family.calibrationFile,
    ...(evaluation && { evaluation }),
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads, samples: 2, length: LENGTH, blocks: 1, offsets: 'even' },
    recovery: { ...DEFAULT_RECOVERY_SETTINGS, method: 'lora', rate: 1e-2, steps: 20, batch: 3, ...recovery },
  };
}

function engineState(): EngineState {
  const models = new LoadedModels({});
  const gradients = new LoadedGradients({});
  const devices = new OpenDevices(() => {
    models.dispose();
    gradients.dispose();
  });
  return { devices, models, gradients, tokenCache: new TokenCache(), dense: new Map() };
}

let places = 0;
async function emptyFolder(): Promise<string> {
  const place = path.join(folder, String(places++));
  await mkdir(place);
  return place;
}

async function withSession<Result>(
  plan: RecoveryPlan,
  use: (session: RecoverySession, state: EngineState) => Promise<Result>,
): Promise<Result> {
  const state = engineState();
  const session = await RecoverySession.open(plan, {}, state, folder);
  try {
    return await use(session, state);
  } finally {
    await session.dispose();
    await state.devices.dispose();
  }
}

describe.each([
  ['lora after Wanda', {}, WANDA],
  ['lora after Wanda-sp', {}, HEADS],
  ['norms after Wanda', { method: 'norms' }, WANDA],
  ['queries and values, dense', { targets: 'qv' }, null],
] as const)('%s', (_, recovery, evaluation) => {
  test('portions in processes of their own, with other numbers of threads, leave the states of one uninterrupted run', async () => {
    const [whole, parts] = [await emptyFolder(), await emptyFolder()];
    const straight = await withSession(planOf(recovery, evaluation), async (session) => {
      expect(session.opening.before).toBeGreaterThan(0);
      return session.train({ from: 0, to: 6, folder: whole }, {});
    });
    expect(straight.losses.length).toBe(6);
    const losses: (number | null)[] = [];
    let state: string | null = null;
    for (const [from, to, threads] of [
      [0, 1, 3],
      [1, 4, 2],
      [4, 6, 1],
    ] as const) {
      const trained = await withSession(planOf(recovery, evaluation, threads), (session) =>
        session.train({ from, to, folder: parts }, {}),
      );
      losses.push(...trained.losses);
      state = trained.state;
    }
    expect(losses).toEqual(straight.losses);
    expect(state).toBe(straight.state);
    expect(await readFile(stateFile(parts, 6))).toEqual(await readFile(stateFile(whole, 6)));
  });
});

test('training lowers the loss, and what is written has it, with its zeros', async () => {
  const states = await emptyFolder();
  const plan = planOf({ steps: 30, batch: 2, rate: 1e-2 });
  const { trained, before, after, result } = await withSession(plan, async (session) => {
    const done = await session.train({ from: 0, to: 30, folder: states }, {});
    const looked = await session.validate({ step: 30, folder: states }, {});
    const engine = createEngine();
    const [pruned] = await engine.evaluate({ ...plan, evaluations: [WANDA] });
    await engine.dispose();
    const recovered = await session.recovered(
      {
        point: { step: 30, folder: states },
        before: pruned!,
        inputs: { model: plan.model, text: plan.text, settings: plan.settings },
      },
      {},
    );
    return {
      trained: done,
      before: session.opening.before,
      after: looked.loss,
      result: { pruned: pruned!, recovered },
    };
  });
  const mean = (losses: readonly (number | null)[]): number =>
    losses.reduce((sum: number, loss) => sum + loss!, 0) / losses.length;
  expect(mean(trained.losses.slice(-5))).toBeLessThan(mean(trained.losses.slice(0, 5)) - 0.5);
  expect(after).not.toBe(before);
  expect(result.recovered.actualSparsity).toBe(result.pruned.actualSparsity);
  expect(result.recovered.perplexity).toBeLessThan(result.pruned.perplexity);

  const to = path.join(await emptyFolder(), 'merged');
  const state = engineState();
  const saved = await saveRecovery({ plan, point: { step: 30, folder: states }, as: 'merged', to }, {}, state, folder);
  await state.devices.dispose();
  expect(saved.bytes).toBeGreaterThan(1000);
  const engine = createEngine();
  const [read] = await engine.evaluate({ model: to, text: plan.text, evaluations: [], settings: plan.settings });
  await engine.dispose();
  // The checkpoint is bfloat16: eight bits of each weight are left.
  expect(Math.abs(Math.log(read!.perplexity / result.recovered.perplexity))).toBeLessThan(0.02);
  expect(read!.actualSparsity).toBeCloseTo(result.pruned.actualSparsity, 12);
});

test.each([
  ['SparseGPT', { ...WANDA, update: { method: 'sparsegpt', damping: 0.01, columns: 128 } }],
  ['ADMM', { ...WANDA, update: { method: 'admm', damping: 0.1, iterations: 2 } }],
  ['least squares', { ...HEADS, update: { method: 'reconstruct', damping: 0.01 } }],
] as readonly [string, RecoveryPlan['evaluation']][])(
  'after %s, a plan that was written and read, its members in another order, finds its states',
  async (_, evaluation) => {
    const states = await emptyFolder();
    const plan = planOf({ rank: 1 }, evaluation);
    const reversed = turned(plan) as RecoveryPlan;
    expect(JSON.stringify(reversed)).not.toBe(JSON.stringify(plan));
    const opened = await withSession(plan, async (session) => {
      await session.train({ from: 0, to: 1, folder: states }, {});
      return session.opening.fingerprint;
    });
    await withSession(reversed, async (session) => {
      expect(session.opening.fingerprint).toBe(opened);
      await session.train({ from: 1, to: 2, folder: states }, {});
    });
  },
);

/** The same with the members of every object the other way round. */
function turned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(turned);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, turned(member)]),
  );
}

test('an adapter that was written goes on where it ended, also on what is left of the model', async () => {
  const states = await emptyFolder();
  const plan = planOf({ steps: 4 }, null);
  const looked = await withSession(plan, async (session) => {
    await session.train({ from: 0, to: 4, folder: states }, {});
    return session.validate({ step: 4, folder: states }, {});
  });
  const to = path.join(await emptyFolder(), 'adapter');
  const state = engineState();
  await saveRecovery({ plan, point: { step: 4, folder: states }, as: 'adapter', to }, {}, state, folder);
  await state.devices.dispose();
  const config = JSON.parse(await readFile(path.join(to, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
  expect(config).toMatchObject({
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r: 8,
    lora_alpha: 16,
    base_model_name_or_path: family.folder,
  });
  expect(config['target_modules']).toEqual([
    'down_proj',
    'gate_proj',
    'k_proj',
    'o_proj',
    'q_proj',
    'up_proj',
    'v_proj',
  ]);
  // As a model that is read elsewhere: base and adapter merged, unmasked.
  const merged = await openCheckpoint(to);
  expect(merged.notes.join()).toContain('merged');
  merged.close();
  await withSession({ ...plan, adapter: to }, ({ opening }) => {
    expect(opening.before).toBe(looked.loss);
    return Promise.resolve();
  });
  await withSession({ ...planOf({ steps: 4 }, HEADS), adapter: to }, async (session) => {
    const trained = await session.train({ from: 0, to: 2, folder: await emptyFolder() }, {});
    expect(trained.state).not.toBeNull();
  });
});

test('numbers that run over end the training, and leave no state', async () => {
  const states = await emptyFolder();
  const trained = await withSession(planOf({ rate: 1e38 }, null), (session) =>
    session.train({ from: 0, to: 10, folder: states }, {}),
  );
  expect(trained.state).toBeNull();
  expect(trained.losses.indexOf(null)).toBe(trained.losses.length - 1);
  expect(await readdir(states)).toEqual([]);
});

test.each([
  [
    'of another recovery',
    (plan: RecoveryPlan): RecoveryPlan => ({ ...plan, recovery: { ...plan.recovery, rate: 1e-3 } }),
    undefined,
  ],
  ['cut off', (plan: RecoveryPlan): RecoveryPlan => plan, (bytes: Buffer) => bytes.subarray(0, bytes.length - 7)],
  ['of zeros', (plan: RecoveryPlan): RecoveryPlan => plan, (bytes: Buffer) => Buffer.alloc(bytes.length)],
] as const)('a state %s is refused', async (_, other, damage) => {
  const states = await emptyFolder();
  const plan = planOf({}, null);
  await withSession(plan, (session) => session.train({ from: 0, to: 1, folder: states }, {}));
  if (damage) await writeFile(stateFile(states, 1), damage(await readFile(stateFile(states, 1))));
  await withSession(other(plan), async (session) => {
    await expect(session.train({ from: 1, to: 2, folder: states }, {})).rejects.toMatchObject({
      data: { code: damage ? 'checkpoint/safetensors' : 'runs/damaged' },
    });
  });
});
