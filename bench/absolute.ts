import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type MaskSearchPlan } from '../src/search/masks/plan.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import { compile } from '../src/language/check/compile.ts';
import { plansFor } from '../src/language/plan/plan.ts';
import { operationsPerToken } from './generatedModel.ts';
import { keystrokeMilliseconds } from './keystroke.ts';
import { runInChild } from './ours.ts';
import { comparedRow, median } from './report.ts';
import type { Row } from './report.ts';
import { firstEvaluationSeconds } from './workerStart.ts';
import type { MaskSteps } from './maskSteps.ts';
import { LENGTH, ROOT, SHARED_FILES } from './work.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../src/search/masks/settings.ts';

/** The model that ships. */
const SAMPLE = join(ROOT, 'media/sample');

/** Blocks of the generated model that are evaluated: about five seconds' work on two cores. */
const GENERATED_BLOCKS = 16;

/** Metrics of the file that is typed into. */
const METRICS = 1000;

/** The figures that are measured against a limit, not against the peer. */
export async function* absoluteRows(
  rounds: number,
  threads: number,
  note: (line: string) => void,
): AsyncGenerator<readonly Row[]> {
  yield [await gemmShare(rounds, threads, note)];
  yield [await workerStart(rounds, threads, note)];
  yield [await keystroke(rounds, note)];
  if (existsSync(SHARED_FILES.model)) yield [await maskStep(rounds, threads, note)];
  yield [await maskMemory(threads, note)];
}

/** How much of the rate that this machine multiplies matrices with is left when a whole model is evaluated. */
async function gemmShare(rounds: number, threads: number, note: (line: string) => void): Promise<Row> {
  note('generating a 110M-parameter model');
  const { folder, text } = (await runInChild({ kind: 'generate' })).answer as { folder: string; text: string };
  const settings = { blocks: GENERATED_BLOCKS, device: 'cpu', precision: 'float32', threads, length: LENGTH } as const;
  const plan = { model: folder, text, evaluations: [], settings: { ...DEFAULT_SETTINGS, ...settings } };
  const work = operationsPerToken(LENGTH) * GENERATED_BLOCKS * LENGTH;
  const ours: number[] = [];
  const machine: number[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const { answer } = await runInChild({ kind: 'gemm', plan });
      const { seconds, gigaflops } = answer as { seconds: number; gigaflops: number };
      ours.push(work / seconds / 1e9);
      machine.push(gigaflops);
      note(
        `GEMM rate, round ${round} of ${rounds}: ${(work / seconds / 1e9).toFixed(0)} of ${gigaflops.toFixed(0)} GFLOP/s`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const shares = ours.map((rate, round) => rate / machine[round]!);
  return {
    work: `dense perplexity, random LLaMA of 110M, ${GENERATED_BLOCKS} blocks of ${LENGTH}: share of the machine's own GEMM rate`,
    ours: Math.round(median(ours)),
    peer: Math.round(median(machine)),
    ratio: Number(median(shares).toPrecision(3)),
    unit: 'GFLOP/s',
    goal: { of: 'ratio', bar: 0.6, stretch: 0.8 },
    range: [Math.min(...shares), Math.max(...shares)],
  };
}

/**
 * From forking the worker to the result of the sample's metric `wanda`, evaluated as its file says: start, checkpoint, tokenising,
 * calibration, dense and pruned perplexity.
 */
async function workerStart(rounds: number, threads: number, note: (line: string) => void): Promise<Row> {
  const file = join(SAMPLE, 'metrics.prune');
  const [planned] = plansFor(compile(await readFile(file, 'utf8')), 'wanda', { folder: SAMPLE });
  const plan = { ...planned!, settings: { ...planned!.settings, device: 'cpu', threads } as const };
  const seconds: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    seconds.push(await firstEvaluationSeconds(join(ROOT, 'dist/worker.cjs'), plan));
    note(`worker start, round ${round} of ${rounds}: ${seconds.at(-1)!.toFixed(2)} s`);
  }
  const { samples, blocks, length } = plan.settings;
  const title = `worker start to first evaluation of the sample (Wanda 50 %, ${samples} samples, ${blocks} blocks of ${length})`;
  return comparedRow(title, 's', seconds, undefined, { of: 'ours', bar: 3, stretch: 1 });
}

/** The language server in a process of its own, from a change of the text to the diagnostics of the changed text. */
async function keystroke(rounds: number, note: (line: string) => void): Promise<Row> {
  const milliseconds: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    milliseconds.push(await keystrokeMilliseconds(join(ROOT, 'dist/languageServer.cjs'), METRICS));
    note(`keystroke, round ${round} of ${rounds}: ${milliseconds.at(-1)!.toFixed(1)} ms`);
  }
  const title = `diagnostics after a keystroke, file of ${METRICS} metrics`;
  return comparedRow(title, 'ms', milliseconds, undefined, { of: 'ours', bar: 50, stretch: 10 });
}

/** Steps of a round, and those before anything is counted: programs are compiled, buffers found. */
const [TIMED_STEPS, FIRST_STEPS] = [40, 5];

/** What a mask of a search costs beside a plain forward pass of the same tokens, in turn in one process. */
async function maskStep(rounds: number, threads: number, note: (line: string) => void): Promise<Row> {
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
  return comparedRow(title, '×', times, undefined, { of: 'ours', bar: 1.15, stretch: 1.05 });
}

/** How much a process grows over 1000 steps: its lowest size in the second half over that in the first, the first 100 steps left out. */
async function maskMemory(threads: number, note: (line: string) => void): Promise<Row> {
  const [text, calibration] = [join(SAMPLE, 'test.txt'), join(SAMPLE, 'calibration.txt')];
  const plan = maskPlan({ model: SAMPLE, text, calibration }, threads, 1100);
  const { answer } = await runInChild({ kind: 'mask steps', plan, comparison: false });
  const resident = (answer as unknown as MaskSteps).resident.slice(1);
  note(`resident set over 1000 steps: ${resident.map((size) => size.toFixed(0)).join(' ')} MiB`);
  const half = resident.length / 2;
  const growth = Math.max(0, Math.min(...resident.slice(half)) - Math.min(...resident.slice(0, half)));
  const title = 'growth of a process over 1000 steps of a search for masks, of the sample';
  return comparedRow(title, 'MiB', [growth], undefined, { of: 'ours', bar: 16, stretch: 4 });
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
