import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '../src/engine/checkpoint/checkpoint.ts';
import { createEngine } from '../src/engine/engine.ts';
import { freshFactors } from '../src/engine/recovery/adapter.ts';
import { writePeftAdapter } from '../src/engine/recovery/peftAdapter.ts';
import { DEFAULT_RECOVERY_SETTINGS } from '../src/experiment/recovery.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import { runProcess } from './childProcess.ts';
import { type Comparison, readComparison, runComparison } from './comparison.ts';
import { findPeer } from './peer.ts';
import { comparedRow, rowJson, rowTable } from './report.ts';
import { LENGTH, SHARED_FILES } from './work.ts';

const USAGE = `npm run bench:recovery [-- --rounds 5] [--threads N] [--json]

A step of LoRA (rank 8, all linear layers) on 8 sequences of ${LENGTH} tokens of the reference checkpoint, ours and the peer's
(../shared/peer/recovery.py) in turn, each time in a fresh process: the time of 24 steps less that of the first 4, by their number.
Both have to come to the same losses. The bar: 1.5 times as fast.`;

const [BATCH, FIRST, STEPS, RATE] = [8, 4, 24, 1e-4];
const PEER = join(SHARED_FILES.peer, '../recovery.py');

interface Steps {
  /** Of one step. */
  readonly seconds: number;
  readonly losses: readonly number[];
}

async function main({ rounds, threads, json }: Comparison): Promise<void> {
  if (!existsSync(PEER) || !existsSync(SHARED_FILES.model)) throw new Error(`${PEER} or its model is not there`);
  const peer = await findPeer();
  if ('missing' in peer) throw new Error(peer.missing);
  const folder = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  try {
    const adapter = join(folder, 'adapter');
    const checkpoint = await openCheckpoint(SHARED_FILES.model);
    const factors = freshFactors(checkpoint.config, { rank: 8, alpha: 16, targets: 'all', seed: 1 });
    await writePeftAdapter(adapter, factors, checkpoint.config, SHARED_FILES.model);
    checkpoint.close();
    const [ours, theirs]: [Steps[], Steps[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      ours.push(await measureOurs(adapter, threads));
      theirs.push(await measurePeer(peer.python, adapter, threads));
      const [a, b] = [ours.at(-1)!, theirs.at(-1)!];
      console.error(`round ${round} of ${rounds}: ${a.seconds.toFixed(3)} s a step, peer ${b.seconds.toFixed(3)} s`);
      if (a.losses.some((loss, step) => Math.abs(loss / b.losses[step]! - 1) > 1e-3)) {
        throw new Error('the two sides disagree: their times mean nothing');
      }
    }
    const seconds = (steps: readonly Steps[]): number[] => steps.map((one) => one.seconds);
    const goal = { of: 'ratio', bar: 1.5, stretch: 2 } as const;
    const title = `a step of LoRA, rank 8, all layers, ${BATCH} sequences of ${LENGTH}`;
    const row = comparedRow(title, 's', seconds(ours), seconds(theirs), goal);
    console.log(json ? rowJson(row) : rowTable([row]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureOurs(adapter: string, threads: number): Promise<Steps> {
  const { answer } = await runProcess(process.execPath, [
    ...[fileURLToPath(import.meta.url), '--child', adapter, '--threads', String(threads)],
  ]);
  return answer as unknown as Steps;
}

async function trainOurs(adapter: string, threads: number): Promise<Steps> {
  const { model, text, calibration } = SHARED_FILES;
  const engine = createEngine();
  const folder = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  try {
    await engine.open({
      ...{ kind: 'recovery', name: 'bench', model, text, train: calibration, validate: text, adapter },
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads, length: LENGTH, blocks: 1 },
      recovery: { ...DEFAULT_RECOVERY_SETTINGS, method: 'lora', rate: RATE, batch: BATCH, steps: STEPS, held: 1 },
    });
    const first = await engine.train({ from: 0, to: FIRST, folder });
    const rest = await engine.train({ from: FIRST, to: STEPS, folder });
    return { seconds: rest.seconds / (STEPS - FIRST), losses: [...first.losses, ...rest.losses].map(Number) };
  } finally {
    await engine.dispose();
    await rm(folder, { recursive: true });
  }
}

async function measurePeer(python: string, adapter: string, threads: number): Promise<Steps> {
  const { model, text, calibration } = SHARED_FILES;
  const run = async (steps: number): Promise<Steps> => {
    const texts = ['--text', text, '--calibration', calibration, '--train', calibration];
    const sizes = ['--seqlen', LENGTH, '--blocks', 1, '--threads', threads].map(String);
    const job = `lora:${adapter}:${steps}:${RATE}:${BATCH}`;
    return (await runProcess(python, ['-B', PEER, model, ...texts, ...sizes, job])).answer as unknown as Steps;
  };
  const [first, all] = [await run(FIRST), await run(STEPS)];
  return { seconds: (all.seconds - first.seconds) / (STEPS - FIRST), losses: all.losses };
}

const comparison = readComparison(USAGE);
runComparison(
  comparison.child === undefined
    ? main(comparison)
    : trainOurs(comparison.child, comparison.threads).then((steps) => {
        console.log(JSON.stringify(steps));
      }),
);
