import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../work.ts';
import type { TestServer } from '../../test/support/queueServers.ts';

/** Real answers: two workers of a queue against two processes of one pool, one thread each, for the same search. */
export interface EfficiencyRow {
  readonly model: string;
  /** Seconds from the opening of the search to its end. */
  readonly embedded: number;
  readonly queue: number;
  /** What the queue's workers reach of the pool's pace. */
  readonly efficiency: number;
}

const CLI = path.join(ROOT, 'dist/cli.cjs');
const SHARED = path.resolve(ROOT, '../shared');
const SEARCH = ['--population', '16', '--generations', '4', '--json'];

/** @param rounds of each, in turn; the medians are compared */
export async function efficiencyRows(server: TestServer, rounds = 3): Promise<readonly EfficiencyRow[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'espalier-efficiency-'));
  const workers: ChildProcess[] = [];
  try {
    cpSync(path.join(ROOT, 'media/sample'), folder, { recursive: true });
    for (const name of ['w0', 'w1']) {
      const words = ['worker', '--queue', server.url, '--threads', '1', '--name', name];
      workers.push(spawn(process.execPath, [CLI, ...words], { cwd: folder, stdio: 'ignore' }));
    }
    const rows: EfficiencyRow[] = [];
    for (const [model, words] of searches()) {
      const [embedded, queue]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        embedded.push(await secondsOf([...words, '--workers', '2', '--threads', '2'], folder));
        queue.push(await secondsOf([...words, '--queue', server.url], folder));
      }
      const [own, theirs] = [median(embedded), median(queue)];
      rows.push({ model, embedded: own, queue: theirs, efficiency: own / theirs });
    }
    return rows;
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The reference checkpoint only where it lies beside the checkout. */
function searches(): readonly (readonly [model: string, words: readonly string[]])[] {
  const sample = ['search', 'metrics.prune', '--search', 'evolved', ...SEARCH];
  const model = path.join(SHARED, 'models/wikitext-llama-6m');
  if (!existsSync(model)) return [['sample', sample]];
  const texts = path.join(SHARED, 'data/wikitext-2');
  const amounts = ['--samples', '32', '--length', '256', '--blocks', '16'];
  const inputs = [
    '--model',
    model,
    '--text',
    path.join(texts, 'valid.txt'),
    '--calibration',
    path.join(texts, 'valid.txt'),
  ];
  return [
    ['sample', sample],
    ['6M', ['search', ...inputs, ...amounts, ...SEARCH]],
  ];
}

/** Seconds from the event that a run is opened to its end. */
function secondsOf(words: readonly string[], folder: string): Promise<number> {
  const child = spawn(process.execPath, [CLI, ...words], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let opened: number | undefined;
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    if (opened === undefined && data.toString().includes('"opened"')) opened = performance.now();
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-4000);
    });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code !== 0 || opened === undefined) reject(new Error(`espalier ${words.join(' ')}: ${said}`));
      else resolve((performance.now() - opened) / 1000);
    });
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
