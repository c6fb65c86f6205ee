import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import type { Engine, KeptRecovery } from '../../src/engine/engine.ts';
import type { ExportTarget } from '../../src/experiment/exportSchema.ts';
import { RECOVERY_SETTINGS } from '../../src/experiment/recovery.ts';
import { listRuns } from '../../src/runs/runSummary.ts';
import type { RecoveryPlan } from '../../src/search/recovery/plan.ts';
import type { Saving } from '../../src/search/recovery/events.ts';
import { ScriptedWorker } from '../coordinator/scriptedWorker.ts';
import { sampleExportReport, sampleSummary } from '../protocol/samples.ts';
import { recoveryProblem } from '../search/recovery/simulation.ts';
import type { RecoveryProblem } from '../search/recovery/simulation.ts';

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'espalier-recover-'));
  roots.push(folder);
  writeFileSync(
    path.join(folder, 'm.prune'),
    `metric wanda = W * sqrt(X)
experiment small {
  model: "model"
  evaluate: "text"
  calibrate: "calibration"
  train: "train"
  prune: wanda
  at: 50%
  recover: norms (steps: 40, rate: 0.002)
}
`,
  );
  return folder;
}

/** Runs a command in a folder, with a simulated worker; what was saved is what the engine was asked to. */
async function run(folder: string, words: readonly string[], recovery: RecoveryProblem = recoveryProblem()) {
  const written = { out: '', err: '' };
  const saved: Saving[] = [];
  const exported: { readonly kept: KeptRecovery; readonly target: ExportTarget }[] = [];
  const engine = {
    describe: (model: string) => Promise.resolve(sampleSummary(model)),
    saveRecovery: (saving: Saving) => {
      saved.push(saving);
      return Promise.resolve({ folder: saving.to, as: saving.as, bytes: 12_000 });
    },
    exportRecovered: (kept: KeptRecovery, target: ExportTarget) => {
      exported.push({ kept, target });
      return Promise.resolve({ ...sampleExportReport(), ...target });
    },
    readers: () => Promise.resolve({ verdicts: [], exact: true }),
    dispose: () => Promise.resolve(),
  } satisfies Partial<Engine>;
  const code = await runCommandLine(words, {
    terminal: createTerminal(
      { write: (text) => (written.out += text) },
      { write: (text) => (written.err += text) },
      {},
    ),
    ...{ folder, signal: new AbortController().signal, keys: {}, shippedPrompts: '/prompts' },
    // The command asks an engine for nothing else.
    createEngine: () => Promise.resolve(engine as Partial<Engine> as Engine),
    forkWorker: () => new ScriptedWorker({ recovery }),
    listDevices: () => Promise.resolve([]),
  });
  return { code, ...written, saved, exported };
}

async function planIn(folder: string): Promise<RecoveryPlan> {
  const [only, ...others] = await listRuns(folder);
  expect(others).toEqual([]);
  if (!only || !('run' in only)) throw new Error('no run');
  const { plan } = only.run.record;
  if (plan.kind !== 'recovery') throw new Error(plan.kind);
  return plan;
}

const INPUTS = ['--model', 'model', '--text', 'text', '--calibration', 'calibration', '--train', 'train'];

describe('espalier recover', () => {
  it('asks tasks before and after, and tells them', async () => {
    const folder = await newFolder();
    writeFileSync(path.join(folder, 'p.jsonl'), '{"goal": "a", "sol1": "b", "sol2": "c", "label": 0}\n');
    const flags = ['--metric', 'small', '--tasks', 'piqa=p.jsonl', '--limit', '3', '--harness', '0.3'];
    const { code, out, err } = await run(folder, ['recover', 'm.prune', ...flags]);
    expect([code, err]).toEqual([0, '']);
    expect((await planIn(folder)).tasks).toEqual({
      list: [{ task: 'piqa', documents: 'p.jsonl', shots: 0, limit: 3 }],
      ...{ harness: '0.3', beginning: 'none' },
    });
    expect(out).toMatch(
      /acc, % +PIQA\ndense +63\.6 ± 1\.1\nbefore +61\.2 ± 1\.1\n +−2\.4†\nafter +61\.2 ± 1\.1\n +−2\.4†\n/,
    );
    const [only] = await listRuns(folder);
    if (!only || !('run' in only)) throw new Error('no run');
    const { out: json } = await run(folder, ['recover', '--resume', only.run.record.id, '--json']);
    const result = JSON.parse(json.trimEnd().split('\n').at(-1)!) as object;
    expect(result).toMatchObject({
      before: { tasks: [{ task: 'piqa', acc: 0.612 }] },
      after: { tasks: [{ p: 0.002 }] },
    });
    const idle = await run(await newFolder(), ['recover', 'm.prune', '--metric', 'small', '--shots', '3']);
    expect(idle.err).toContain('warning: --shots has no effect: nothing is asked');
  });

  it('makes the plan that its flags say', async () => {
    const folder = await newFolder();
    const flags = [
      ...['--expression', 'W * sqrt(X)', '--sparsity', '2:4', '--update', 'admm', '--seed', '3', '--length', '64'],
      ...['--steps', '60', '--rate', '1e-3', '--warmup', '5', '--schedule', 'cosine', '--batch', '2', '--rank', '4'],
      ...['--alpha', '8', '--targets', 'qv', '--train-length', '32', '--train-seed', '9', '--loss', 'reply'],
      ...['--masked', 'off', '--every', '10', '--patience', '0', '--held', '7', '--adapter', 'lora-in'],
      ...['--validate', 'held', '--train-rows', 'lines', '--test', 'unseen', '--test-rows', 'lines'],
    ];
    const { code } = await run(folder, ['recover', ...INPUTS, ...flags]);
    expect(code).toBe(0);
    expect(await planIn(folder)).toMatchObject({
      ...{ model: 'model', text: 'text', train: 'train', validate: 'held', adapter: 'lora-in' },
      test: 'unseen',
      rows: { train: { rows: 'lines' }, test: { rows: 'lines' } },
      evaluation: { sparsity: { kind: 'n:m', keep: 2, of: 4 }, update: { method: 'admm' } },
      settings: { seed: 3, length: 64 },
      recovery: {
        ...{ method: 'lora', steps: 60, rate: 1e-3, warmup: 5, schedule: 'cosine', batch: 2, rank: 4, alpha: 8 },
        ...{ targets: 'qv', length: 32, seed: 9, loss: 'reply', masked: 'off', every: 10, patience: 0, held: 7 },
      },
    });
  });

  it('lays flags over what a file says, setting by setting', async () => {
    const folder = await newFolder();
    expect((await run(folder, ['recover', 'm.prune', '--steps', '20'])).code).toBe(0);
    expect(await planIn(folder)).toMatchObject({
      name: 'wanda',
      recovery: { method: 'norms', steps: 20, rate: 0.002, batch: RECOVERY_SETTINGS.batch.default },
    });
    expect((await planIn(folder)).evaluation).not.toHaveProperty('recovery');
  });

  it('trains a checkpoint as it is where nothing is pruned', async () => {
    const folder = await newFolder();
    await run(folder, ['recover', ...INPUTS, '--method', 'norms', '--steps', '20']);
    const plan = await planIn(folder);
    expect(plan).not.toHaveProperty('evaluation');
    expect(plan.name).toBe('recovery');
  });

  it('prints one object a line, and saves what was kept', async () => {
    const folder = await newFolder();
    const words = ['recover', 'm.prune', '--json', '--steps', '40', '--to', 'out', '--as', 'adapter'];
    const { out, saved, code } = await run(folder, words);
    expect(code).toBe(0);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ kind }) => kind)).toEqual([
      ...['run', 'opened', 'trained', 'validated', 'trained', 'validated', 'stopped', 'finalist', 'finalist'],
      ...['finished', 'result', 'saved'],
    ]);
    expect(lines.at(-2)).toMatchObject({ state: 'finished', steps: 40, stopped: { reason: 'steps' }, sparsity: '50%' });
    expect(lines.at(-1)).toMatchObject({ as: 'adapter', folder: path.join(folder, 'out') });
    expect(saved).toMatchObject([{ as: 'adapter', point: { step: 40 }, to: path.join(folder, 'out') }]);
  });

  it('goes on with a run, and saves a finished one', async () => {
    const folder = await newFolder();
    await run(folder, ['recover', 'm.prune']);
    const [only] = await listRuns(folder);
    const { code, saved, out } = await run(folder, ['recover', '--resume', only!.id, '--to', 'out']);
    expect(code).toBe(0);
    expect(saved).toMatchObject([{ as: 'merged' }]);
    expect(out).toContain('saved');
  });

  it('is exported with --run, from the state that it has kept', async () => {
    const folder = await newFolder();
    await run(folder, ['recover', 'm.prune']);
    const [only] = await listRuns(folder);
    const words = ['export', '--run', only!.id, '--text', 'other', '--format', 'onnx', '--to', 'out'];
    const { code, exported, err } = await run(folder, words);
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    expect(exported).toMatchObject([
      {
        kept: {
          plan: { kind: 'recovery', text: path.join(folder, 'other'), train: path.join(folder, 'train') },
          point: { step: 40 },
          report: { steps: 40, kept: 40, reason: 'steps' },
        },
        target: { folder: path.join(folder, 'out'), format: 'onnx' },
      },
    ]);
    const refused = await run(folder, ['export', '--run', only!.id, '--candidate', '3', '--to', 'out']);
    expect(refused.err).toContain('a recovery, which has one result');
    expect(refused.exported).toEqual([]);
  });

  it('says why it stopped, and what is kept', async () => {
    const folder = await newFolder();
    const problem = recoveryProblem({ heldOutAt: (step) => (step > 20 ? 9 : 3.9) });
    const { code, out, err } = await run(folder, ['recover', 'm.prune'], problem);
    expect(code).toBe(0);
    expect(err).toContain('stopped after 40 of 40 steps: the loss on the held-out text rose from 4.000 to 9.000');
    expect(out).toContain('kept the state after 20 steps');
    expect((await run(folder, ['runs'])).out).toMatch(/norms +40 \/ 40/);
    const [only] = await listRuns(folder);
    expect((await run(folder, ['runs', 'show', only!.id])).out).toContain('kept the state after 20 steps');
  });

  it.each<readonly [what: string, words: readonly string[], said: RegExp]>([
    ['no text to train on', INPUTS.slice(0, 6), /--train/],
    ['--as alone', ['m.prune', '--as', 'adapter'], /--to with --as/],
    ['a fraction of a step', [...INPUTS, '--steps', '2.5'], /whole number from 1/],
    ['no step at all', [...INPUTS, '--steps', '0'], /whole number from 1/],
    ['another method', [...INPUTS, '--method', 'full'], /lora, norms/],
    ['a rate that is no number', [...INPUTS, '--rate', 'fast'], /number from/],
    ['two sparsities', ['m.prune', '--sparsity', '20%,30%'], /one way of pruning/],
    [
      'a run with other flags',
      ['--resume', 'x', '--steps', '3'],
      /--resume with nothing else but --queue, --recover, --json, --to and --as/,
    ],
    ['a run that is not there', ['--resume', 'x'], /no run/],
    ['damage of no run', ['m.prune', '--recover'], /--resume with --recover/],
    ['a folder that is taken', ['m.prune', '--to', 'taken'], /not there yet, or empty/],
    ['a file in its place', ['m.prune', '--to', 'm.prune'], /a file/],
  ])('refuses %s before anything is begun', async (_, words, said) => {
    const folder = await newFolder();
    mkdirSync(path.join(folder, 'taken'));
    writeFileSync(path.join(folder, 'taken', 'x'), '');
    const { code, err } = await run(folder, ['recover', ...words]);
    expect(err).toMatch(said);
    expect(code).toBe(2);
    expect(await listRuns(folder)).toEqual([]);
  });

  it('is gone on with by the command that began it', async () => {
    const folder = await newFolder();
    await run(folder, ['recover', 'm.prune']);
    const [only] = await listRuns(folder);
    const { code, err } = await run(folder, ['search', '--resume', only!.id]);
    expect(code).toBe(2);
    expect(err).toContain(`espalier recover --resume ${only!.id}`);
  });
});
