import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MaskSearchPlan } from '../src/search/masks/plan.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import { compile } from '../src/language/check/compile.ts';
import { plansFor } from '../src/language/plan/plan.ts';
import type { BenchContext } from './benchContext.ts';
import { keystrokeMilliseconds } from './keystroke.ts';
import { runInChild } from './ours.ts';
import { comparePruning, type PruningTimes } from './pruningTimes.ts';
import { comparedRow, median } from './report.ts';
import type { Row } from './report.ts';
import { firstEvaluationSeconds } from './workerStart.ts';
import type { MaskSteps } from './maskSteps.ts';
import { LENGTH, ROOT, SHARED_FILES } from './work.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../src/search/masks/settings.ts';

/** The model that ships. */
const SAMPLE = join(ROOT, 'media/sample');

/** Metrics of the file that is typed into. */
const METRICS = 1000;

/** Rounds where none are asked for. */
const ROUNDS = 5;

/**
 * From forking the worker to the result of the sample's metric `wanda`, evaluated as its file says: start, checkpoint, tokenising,
 * calibration, dense and pruned perplexity.
 */
export async function workerStart({
  options: { threads, rounds = ROUNDS },
  note,
}: BenchContext): Promise<readonly Row[]> {
  const file = join(SAMPLE, 'metrics.prune');
  const [planned] = plansFor(compile(await readFile(file, 'utf8')), 'wanda', { folder: SAMPLE });
  const plan = { ...planned!, settings: { ...planned!.settings, device: 'cpu', threads } as const };
  const cacheFolder = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  const start = (): Promise<number> => firstEvaluationSeconds(join(ROOT, 'dist/worker.cjs'), cacheFolder, plan);
  const seconds: number[] = [];
  try {
    const first = await start();
    note(`worker start, nothing in its cache: ${first.toFixed(2)} s`);
    for (let round = 1; round <= rounds; round++) {
      seconds.push(await start());
      note(`worker start, round ${round} of ${rounds}: ${seconds.at(-1)!.toFixed(2)} s`);
    }
    const { samples, blocks, length } = plan.settings;
    const title = `worker start to first evaluation of the sample (Wanda 50 %, ${samples} samples, ${blocks} blocks of ${length})`;
    return [
      comparedRow(title, 's', seconds, undefined, { of: 'ours', bar: 1, stretch: 0.5 }),
      comparedRow('the same where nothing was ever cached', 's', [first], undefined),
    ];
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

/** The language server in a process of its own, from a change of the text to the diagnostics of the changed text. */
export async function keystroke({ options: { rounds = ROUNDS }, note }: BenchContext): Promise<readonly Row[]> {
  const milliseconds: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    milliseconds.push(await keystrokeMilliseconds(join(ROOT, 'dist/languageServer.cjs'), METRICS));
    note(`keystroke, round ${round} of ${rounds}: ${milliseconds.at(-1)!.toFixed(1)} ms`);
  }
  const title = `diagnostics after a keystroke, file of ${METRICS} metrics`;
  return [comparedRow(title, 'ms', milliseconds, undefined, { of: 'ours', bar: 10, stretch: 5 })];
}

/** Pruning alone, of one block of 7B shape: half of each row by Wanda's metric. */
export async function pruning({ options: { threads, rounds = 2 } }: BenchContext): Promise<readonly Row[]> {
  const sparsity = { kind: 'unstructured', share: 0.5 } as const;
  const job = { shape: '7b', sparsity, group: 'row', metric: 'mul(W, sqrt(X))', threads } as const;
  return comparePruning(job, rounds, async (one) => {
    const { answer } = await runInChild({ kind: 'pruning', job: one });
    return answer as unknown as PruningTimes;
  });
}

/** Steps of a round, and those before anything is counted: programs are compiled, buffers found. */
const [TIMED_STEPS, FIRST_STEPS] = [40, 5];

/** What a mask of a search costs beside a plain forward pass of the same tokens, in turn in one process. */
export async function maskStep({ options: { threads, rounds = ROUNDS }, note }: BenchContext): Promise<readonly Row[]> {
  const { model, text, calibration } = SHARED_FILES;
  const plan = maskPlan({ model, text, calibration }, threads, TIMED_STEPS);
  const times: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const { answer } = await runInChild({ kind: 'mask steps', plan, comparison: true });
    const { masked, plain } = answer as unknown as MaskSteps;
    const [ours, theirs] = [masked, plain].map((seconds) => 1000 * median(seconds.slice(FIRST_STEPS)));
    times.push(ours! / theirs!);
    note(`mask, round ${round} of ${rounds}: ${ours!.toFixed(1)} ms, plain forward pass ${theirs!.toFixed(1)} ms`);
  }
  const { batch, tokens, masks } = plan.search;
  const title = `one of ${masks} masks in a step of ${batch} × ${tokens} tokens, in plain forward passes of them`;
  return [comparedRow(title, '×', times, undefined, { of: 'ours', bar: 1.15, stretch: 1.05 })];
}

/** How much a process grows over 1000 steps: its lowest size in the second half over that in the first, the first 100 steps left out. */
export async function maskMemory({ options: { threads }, note }: BenchContext): Promise<readonly Row[]> {
  const [text, calibration] = [join(SAMPLE, 'test.txt'), join(SAMPLE, 'calibration.txt')];
  const plan = maskPlan({ model: SAMPLE, text, calibration }, threads, 1100);
  const { answer } = await runInChild({ kind: 'mask steps', plan, comparison: false });
  const resident = (answer as unknown as MaskSteps).resident.slice(1);
  note(`resident set over 1000 steps: ${resident.map((size) => size.toFixed(0)).join(' ')} MiB`);
  const half = resident.length / 2;
  const growth = Math.max(0, Math.min(...resident.slice(half)) - Math.min(...resident.slice(0, half)));
  const title = 'growth of a process over 1000 steps of a search for masks, of the sample';
  return [comparedRow(title, 'MiB', [growth], undefined, { of: 'ours', bar: 16, stretch: 4 })];
}

function maskPlan(
  files: Pick<MaskSearchPlan, 'model' | 'text' | 'calibration'>,
  threads: number,
  steps: number,
): MaskSearchPlan {
  const settings = { device: 'cpu', precision: 'float32', threads, blocks: 1, length: LENGTH } as const;
  return {
    ...{ kind: 'masks', name: 'bench', ...files, baselines: [] },
    settings: { ...DEFAULT_SETTINGS, ...settings },
    sparsity: { kind: 'unstructured', share: 0.4 },
    score: { kind: 'method', method: 'wanda-sp' },
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, steps },
  };
}
