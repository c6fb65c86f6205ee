import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { FAMILIES, type FamilyName } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Flags that say the inputs below, and little work. */
export function inputsOf({ samples, blocks }: { readonly samples: number; readonly blocks: number }): string[] {
  const files = ['--model', 'model', '--text', 'text.txt', '--calibration', 'text.txt'];
  const amounts = ['--length', '16', '--samples', String(samples), '--blocks', String(blocks)];
  return [...files, '--device', 'cpu', '--threads', '1', ...amounts];
}

export const INPUTS = inputsOf({ samples: 2, blocks: 2 });

export type Running = ChildProcessByStdio<null, Readable, Readable>;

export interface Ended {
  readonly status: number | NodeJS.Signals;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  /** What the environment has beside the test's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called with the process when it is started. */
  readonly during?: (child: Running) => void;
  /** The current folder, where it is another one than that of the files. */
  readonly cwd?: string;
}

/** The built command in a folder of its own, with a small checkpoint, a text and two metrics. */
export interface BuiltCommand {
  readonly folder: string;
  espalier(words: readonly string[], around?: Around): Promise<Ended>;
  run(file: string, words: readonly string[]): Promise<Ended>;
  remove(): Promise<void>;
}

/** @param made what the checkpoint is, and how long the text */
export async function builtCommand(
  made: { readonly family: FamilyName; readonly characters: number } = {
    family: 'llama-2 grouped queries',
    characters: 4000,
  },
): Promise<BuiltCommand> {
  execFileSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  const folder = await mkdtemp(join(tmpdir(), 'espalier-cli-'));
  await generateCheckpoint(join(folder, 'model'), FAMILIES[made.family]);
  await writeFile(join(folder, 'text.txt'), generateText(1, made.characters));
  await writeFile(join(folder, 'metrics.prune'), 'metric magnitude = W\nmetric wanda = W * sqrt(X)\n');
  return {
    folder,
    espalier: (words, around) => runIn(folder, join(ROOT, 'dist/cli.cjs'), words, around),
    run: (file, words) => runIn(folder, file, words),
    remove: () => rm(folder, { recursive: true }),
  };
}

export function jsonLines({ out }: Pick<Ended, 'out'>): Record<string, unknown>[] {
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function runIn(folder: string, file: string, words: readonly string[], around: Around = {}): Promise<Ended> {
  const child = spawn(file, words, {
    cwd: around.cwd ?? folder,
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
