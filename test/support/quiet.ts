import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuiltCommand, INPUTS, ROOT } from '../cli/builtCommand.ts';

// Whether a process of ours keeps to itself: by the files that it leaves, and by the connections that it tries.

/** The commands that load the native library, each in another constellation of processes. */
export const LOADING: Readonly<Record<string, readonly string[]>> = {
  'evaluate, in one process': ['evaluate', 'metrics.prune', ...INPUTS],
  'evaluate, with a probe of each device': ['evaluate', 'metrics.prune', ...INPUTS, '--device', 'auto'],
  'devices, in a process for each': ['devices'],
  'evolve, with a pool of workers': [
    'evolve',
    ...INPUTS,
    '--workers',
    '2',
    '--population',
    '4',
    '--elites',
    '1',
    '--generations',
    '1',
  ],
  'export, verified in a fresh process': ['export', '--structure', 'magnitude', ...INPUTS, '--to'],
  'speed, each checkpoint in a fresh process': ['speed', 'model', '--device', 'cpu', '--length', '16'],
};

/** Loads the library as anybody would who does not know of it. */
const PLAIN = `require('onnxruntime-node').InferenceSession.create(Buffer.of(8, 8)).catch(() => {});`;

export interface Left {
  readonly status: number | null;
  readonly output: string;
  /** All that lies in the home and the cache folder afterwards, by path. */
  readonly files: readonly string[];
  /** Packets and connections that found no way out of a network namespace without any; nothing where it was not run in one. */
  readonly attempts: number | undefined;
}

/** Whether this system lets a person make a network namespace of their own. */
export const hasNamespaces = spawnSync('unshare', ['--map-root-user', '--net', 'cat', '/proc/net/snmp']).status === 0;

/** The library as it is, in a process without any of our code. */
export const leftByPlainLibrary = (command: BuiltCommand, holdSeconds?: number): Promise<Left> =>
  leftBy(command, ['-e', PLAIN], holdSeconds);

export const leftByCommand = (command: BuiltCommand, words: readonly string[], holdSeconds?: number): Promise<Left> =>
  leftBy(command, [join(ROOT, 'dist/cli.cjs'), ...words], holdSeconds);

/**
 * Runs node with an empty home and cache folder and an environment that asks for telemetry.
 *
 * @param holdSeconds what the process and every one that it starts live on when they are done, in a network namespace without a way
 * out: the library's first upload comes some nine seconds after its start. Without it, it runs where the test runs.
 */
function leftBy({ folder }: BuiltCommand, words: readonly string[], holdSeconds?: number): Promise<Left> {
  const own = mkdtempSync(join(folder, 'quiet-'));
  const hold = join(folder, 'hold.cjs');
  writeFileSync(hold, holding(holdSeconds ?? 0));
  const given = words.at(-1) === '--to' ? [...words, join(own, 'exported')] : words;
  const command = [process.execPath, ...given];
  const inNamespace = ['unshare', '--map-root-user', '--net', 'sh', '-c', COUNTING, 'sh', ...command];
  const [program, ...rest] = holdSeconds === undefined ? command : inNamespace;
  const child = spawn(program!, rest, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...{ PATH: process.env['PATH'], HOME: join(own, 'home'), XDG_CACHE_HOME: join(own, 'home/cache') },
      ...{ NODE_PATH: join(ROOT, 'node_modules'), NODE_OPTIONS: `--require ${hold}`, ORT_DISABLE_TELEMETRY: '0' },
    },
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      const attempts = /^without a way: (\d+)$/m.exec(output)?.[1];
      resolve({
        ...{ status, output, files: filesIn(join(own, 'home')) },
        attempts: attempts === undefined ? undefined : Number(attempts),
      });
    });
  });
}

/** Threads of the library go on while the one of JavaScript waits. */
const holding = (seconds: number): string =>
  `process.on('exit', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${seconds * 1000}));`;

/** Runs a command, then tells how many packets of either protocol found no route: in a new namespace not even this host has one. */
const COUNTING = `"$@"; status=$?
lost() { awk '/^Ip: [0-9]/ { n += $13 } /^Ip6OutNoRoutes/ { n += $2 } END { print n + 0 }' /proc/net/snmp /proc/net/snmp6; }
echo "without a way: $(lost)"
exit $status`;

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}
