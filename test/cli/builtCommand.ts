import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { FAMILIES } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Flags that say the inputs below, and little work. */
export const INPUTS = ['--model', 'model', '--text', 'text.txt', '--calibration', 'text.txt', '--device', 'cpu'].concat(
  ...['--threads', '1', '--length', '16', '--samples', '2', '--blocks', '2'],
);

export interface Ended {
  readonly status: number | NodeJS.Signals;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  /** What the environment has beside the test's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called with the process when it is started. */
  readonly during?: (child: ChildProcessByStdio<null, Readable, Readable>) => void;
}

/** The built command in a folder of its own, with a small checkpoint, a text and two metrics. */
export interface BuiltCommand {
  readonly folder: string;
  espalier(words: readonly string[], around?: Around): Promise<Ended>;
  run(file: string, words: readonly string[]): Promise<Ended>;
  remove(): Promise<void>;
}

export async function builtCommand(): Promise<BuiltCommand> {
  execFileSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  const folder = await mkdtemp(join(tmpdir(), 'espalier-export-'));
  await generateCheckpoint(join(folder, 'model'), FAMILIES['llama-2 grouped queries']);
  await writeFile(join(folder, 'text.txt'), generateText(1, 4000));
  await writeFile(join(folder, 'metrics.prune'), 'metric magnitude = W\nmetric wanda = W * sqrt(X)\n');
  return {
    folder,
    espalier: (words, around) => runIn(folder, join(ROOT, 'dist/cli.cjs'), words, around),
    run: (file, words) => runIn(folder, file, words),
    remove: () => rm(folder, { recursive: true }),
  };
}

export function jsonLines({ out }: Ended): Record<string, unknown>[] {
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function runIn(folder: string, file: string, words: readonly string[], around: Around = {}): Promise<Ended> {
  const child = spawn(file, words, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...around.env, XDG_CACHE_HOME: join(folder, 'cache') },
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (text.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text.err += data.toString()));
  around.during?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ status: code ?? signal!, ...text });
    });
  });
}
