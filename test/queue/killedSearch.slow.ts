import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { generateText } from '../support/generate/text.ts';
import { hasRedis, startRedis, WITHOUT_REDIS } from '../support/queueServers.ts';
import type { TestServer } from '../support/queueServers.ts';
import { builtCommand, ROOT } from '../cli/builtCommand.ts';
import type { BuiltCommand } from '../cli/builtCommand.ts';

// A real search over a real queue whose workers are killed, frozen and robbed of their engines comes event for event to the end of an embedded one;
// and the queue's password is nowhere but where a person put it.

/** ESPALIER_FAULTS=100: workers killed. A fifth of that is frozen, a twentieth loses its engine. */
const KILLS = Number(process.env['ESPALIER_FAULTS'] ?? 10);
const [FREEZES, DEATHS] = [Math.ceil(KILLS / 5), Math.ceil(KILLS / 20)];
const PASSWORD = 'marker/of+a=queue-0123456789';
const SPELLINGS = [PASSWORD, encodeURIComponent(PASSWORD), Buffer.from(PASSWORD).toString('base64'), 'marker/of'];
/** Longer than the lock of a question. */
const FROZEN = 40_000;

describe.skipIf(!hasRedis || process.platform !== 'linux')(`a search over a queue${WITHOUT_REDIS}`, () => {
  let command: BuiltCommand;
  let server: TestServer;
  let url = '';
  const workers: ChildProcess[] = [];

  beforeAll(async () => {
    [command, server] = await Promise.all([builtCommand(), startRedis(['--requirepass', PASSWORD])]);
    await writeFile(path.join(command.folder, 'text.txt'), generateText(1, 60_000));
    url = `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}`;
  }, 300_000);
  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await server.dispose();
    await command.remove();
  });

  const output: string[] = [];
  const startWorker = (): ChildProcess => {
    const words = ['worker', '--queue', '--json', '--threads', '1', '--name', `w${workers.length}`];
    const env = { ...process.env, ESPALIER_QUEUE: url, XDG_CACHE_HOME: path.join(command.folder, 'cache') };
    const child = spawn(path.join(ROOT, 'dist/cli.cjs'), words, {
      cwd: command.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
    workers.push(child);
    return child;
  };

  it('comes to the same end, whoever is killed; its password is nowhere', { timeout: 3_600_000 }, async () => {
    const flags = [
      ...['evolve', '--model', 'model', '--text', 'text.txt', '--calibration', 'text.txt', '--device', 'cpu', '--json'],
      ...['--threads', '1', '--length', '64', '--samples', '8', '--blocks', '200', '--seed', '5', '--finalists', '2'],
      ...['--population', String(14 + Math.ceil(KILLS / 10)), '--generations', String(4 + Math.ceil(KILLS / 20))],
    ];
    const alone = await command.espalier([...flags, '--workers', '1']);
    expect(alone.status).toBe(0);
    const expected = storyOf(await journal(command.folder, 0));

    const crew = [startWorker(), startWorker(), startWorker()];
    const state = { isOpen: true };
    const faults = { kills: 0, freezes: 0, deaths: 0 };
    const leaks = new Set<string>();
    let pid = 0;
    const search = command
      .espalier([...flags, '--queue'], {
        env: { ESPALIER_QUEUE: url },
        during: (child) => (pid = child.pid!),
      })
      .finally(() => (state.isOpen = false));
    const spy = setInterval(() => {
      for (const [root, isOwn] of [[pid, true] as const, ...workers.map((one) => [one.pid!, true] as const)])
        lookAt(root, isOwn, leaks);
    }, 50);
    const trouble = troubleOf(crew, startWorker, state, faults);
    const ended = await search;
    await trouble;
    clearInterval(spy);
    expect(ended.err).not.toMatch(/\n\s+at /);
    expect(ended.status).toBe(0);
    const found = await journal(command.folder, 1);
    expect(storyOf(found)).toEqual(expected);
    process.stderr.write(`${JSON.stringify(faults)} during ${found.length} events\n`);
    expect(Math.min(...Object.values(faults))).toBeGreaterThan(0);

    expect([...leaks]).toEqual([]);
    const told = [
      ended.out,
      ended.err,
      ...output,
      ...filesBelow(command.folder).map((file) => readFileSync(file, 'latin1')),
    ];
    for (const spelling of SPELLINGS) expect(told.filter((text) => text.includes(spelling))).toEqual([]);
  });
});

/** Kills, freezes and robs until all of it has happened, or the search has ended. */
async function troubleOf(
  crew: ChildProcess[],
  start: () => ChildProcess,
  state: { readonly isOpen: boolean },
  faults: { kills: number; freezes: number; deaths: number },
): Promise<void> {
  const rng = new Rng(7);
  const of = (kind: keyof typeof faults, count: number): (keyof typeof faults)[] =>
    new Array<keyof typeof faults>(count).fill(kind);
  const order = [...of('kills', KILLS), ...of('freezes', FREEZES), ...of('deaths', DEATHS)]
    .map((kind) => ({ kind, at: rng.uniform() }))
    .sort((one, other) => one.at - other.at)
    .map(({ kind }) => kind);
  const frozen: Promise<void>[] = [];
  await pause(4000);
  for (const kind of order) {
    if (!state.isOpen) break;
    const at = rng.integer(crew.length);
    const victim = crew[at]!;
    faults[kind]++;
    if (kind === 'deaths') {
      for (const engine of childrenOf(victim.pid!)) kill(engine);
    } else if (kind === 'kills') {
      for (const pid of [victim.pid!, ...childrenOf(victim.pid!)]) kill(pid);
      crew[at] = start();
    } else {
      victim.kill('SIGSTOP');
      crew[at] = start();
      const letGo = async (): Promise<void> => {
        await pause(FROZEN);
        victim.kill('SIGCONT');
        await pause(5000);
        victim.kill('SIGKILL');
      };
      frozen.push(letGo());
    }
    await pause(500 + 2500 * rng.uniform());
  }
  await Promise.all(frozen);
}

/** Whether the password stands in a command line, or in the environment of what one of ours has started. */
function lookAt(root: number, isOwn: boolean, leaks: Set<string>): void {
  for (const pid of [root, ...childrenOf(root)]) {
    for (const what of ['cmdline', 'environ'] as const) {
      if (what === 'environ' && isOwn && pid === root) continue;
      const text = read(`/proc/${pid}/${what}`);
      // One that was forked and has not begun its own program yet is told to have what its parent has.
      if (what === 'environ' && read(`/proc/${pid}/cmdline`) === read(`/proc/${root}/cmdline`)) continue;
      if (SPELLINGS.some((spelling) => text.includes(spelling)))
        leaks.add(`${what} of ${read(`/proc/${pid}/cmdline`).slice(0, 200)}`);
    }
  }
}

/** What a search came to, without what tells of time and of who did it. */
function storyOf(events: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const told = new Set(['opened', 'baseline', 'candidate', 'generation', 'finalist', 'finished']);
  return events.filter(({ kind }) => told.has(String(kind))).map((event) => JSON.stringify(event, withoutTime));
}

function withoutTime(name: string, value: unknown): unknown {
  return /^(at|time|seconds|workers|threads|startedAt|measuredAt)$|Seconds$/.test(name) ? undefined : value;
}

/** Events of a run. @param index of all, by age */
async function journal(folder: string, index: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const files = [...filesBelow(folder)].filter((file) => path.basename(file) === 'journal.jsonl');
  const byAge = files.sort((a, b) => statSync(path.dirname(a)).birthtimeMs - statSync(path.dirname(b)).birthtimeMs);
  const lines = (await readFile(byAge[index]!, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function childrenOf(pid: number): readonly number[] {
  return read(`/proc/${pid}/task/${pid}/children`)
    .trim()
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
