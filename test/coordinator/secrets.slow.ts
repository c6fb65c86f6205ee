import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelledError } from '../../src/base/errors.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { KEY_VARIABLES } from '../../src/base/secretVariables.ts';
import type { SelfPrunerPlan } from '../../src/search/rates/selfPruner/plan.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { loadPrompts } from '../../src/llm/promptTemplates.ts';
import { ProtocolClient } from '../../src/protocol/client.ts';
import { forkWorker } from '../../src/protocol/workerProcess.ts';
import { VERSION } from '../../src/base/version.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import { FAMILIES } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';
import { ScriptedLlm } from '../support/scriptedLlm.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

// A key goes through real processes, to a server that repeats it wherever it can. It must then be nowhere but in the memory of the process
// that drives the search, and in the environment that a person put it into.

const ROOT = path.resolve(import.meta.dirname, '../..');
const KEY = 'sk-marker/of+a=key-0123456789';
const SPELLINGS = [KEY, encodeURIComponent(KEY), Buffer.from(KEY).toString('base64'), 'marker/of'];

let folder: string;
let llm: ScriptedLlm;
const files = { model: '', text: '', calibration: '', test: '' };

beforeAll(async () => {
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  const cache = path.join(ROOT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(path.join(cache, 'secrets-test-'));
  for (const name of ['model', 'text', 'calibration', 'test'] as const) files[name] = path.join(folder, `in-${name}`);
  await generateCheckpoint(files.model, FAMILIES['llama-1']);
  await writeFile(files.text, generateText(1, 8000));
  await writeFile(files.calibration, generateText(2, 8000));
  await writeFile(files.test, generateText(3, 8000));
  const faults = ['echo-key', 'echo-key-in-reply', 'echo-key-in-event', 'status-500', 'none', 'slow'] as const;
  llm = await ScriptedLlm.start({ fault: ({ index }) => faults[index % faults.length]!, slowness: 20 });
}, 300_000);

afterAll(async () => {
  await (llm as ScriptedLlm | undefined)?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Looks at the command line and the environment of a process and of all that it has started, again and again. */
function watch(pid: number, isOwnEnvironment: (pid: number) => boolean): { stop: () => Watched } {
  const seen = new Set<number>();
  const leaks: string[] = [];
  const look = (): void => {
    for (const each of [pid, ...descendantsOf(pid)]) {
      // One that was forked and has not begun its own program yet is told to have what its parent has.
      const isCopy = each !== pid && read(`/proc/${each}/cmdline`) === read(`/proc/${pid}/cmdline`);
      for (const what of ['cmdline', 'environ'] as const) {
        if (what === 'environ' && (isCopy || isOwnEnvironment(each))) continue;
        const text = read(`/proc/${each}/${what}`);
        if (text !== undefined) seen.add(each);
        if (text !== undefined && SPELLINGS.some((spelling) => text.includes(spelling)))
          leaks.push(`${what} of ${each}`);
      }
    }
  };
  const timer = setInterval(look, 15);
  return {
    stop: () => {
      clearInterval(timer);
      return { processes: seen.size, leaks };
    },
  };
}

interface Watched {
  readonly processes: number;
  readonly leaks: readonly string[];
}

describe.skipIf(process.platform !== 'linux')('the key of a language model', () => {
  it('that comes by the protocol is in no file, event, log, command line or environment', async () => {
    const root = await mkdtemp(path.join(folder, 'protocol-'));
    const { initialise, mutate, cross, again } = await loadPrompts({ shipped: path.join(ROOT, 'media/prompts'), root });
    const plan: SelfPrunerPlan = {
      ...{ kind: 'rates', name: 'secret', ...files, sparsity: { kind: 'unstructured', share: 0.4 } },
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 2, length: 32, samples: 4, blocks: 8 },
      target: { kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } },
      baselines: [],
      search: { ...DEFAULT_SELF_PRUNER_SETTINGS, ...{ population: 4, mutations: 2, crossovers: 2, generations: 3 } },
      llm: { ...DEFAULT_LLM_SETTINGS, provider: 'openai', endpoint: llm.url, llm: 'scripted', retries: 1 },
      prompts: { initialise, mutate, cross, again },
    };
    const run = await createRun(plan, { root, createdAt: new Date(), versions: {} });
    const told: string[] = [];
    // What a person has in the editor's environment reaches no worker either.
    for (const name of KEY_VARIABLES) process.env[name] = `X-Key: ${KEY}`;
    const host = forkWorker({
      file: path.join(ROOT, 'dist/worker.cjs'),
      cacheFolder: path.join(root, 'cache'),
      log: (line) => told.push(line),
    });
    for (const name of KEY_VARIABLES) Reflect.deleteProperty(process.env, name);
    const client = new ProtocolClient(host.reader, host.writer, {
      log: (line) => told.push(line),
      onBroken: (reason) => told.push(reason),
    });
    const watched = watch(host.pid!, () => false);
    await client.initialize(VERSION);
    const asked = llm.requests.length;
    // The process reads by itself what the run says: another endpoint than was agreed to gets nothing.
    const elsewhere = { endpoint: 'http://elsewhere.example/v1', key: KEY };
    for (const granted of [{ llm: elsewhere }, {}]) {
      const swapped = client.request('search', { folder: run.folder, workers: 2, ...granted });
      await expect(swapped).rejects.toMatchObject({ code: 'llm/not-agreed' });
    }
    expect(llm.requests).toHaveLength(asked);
    const outcome = await client.request(
      'search',
      { folder: run.folder, workers: 2, llm: { endpoint: llm.url, key: KEY } },
      { onGrew: (...event) => told.push(JSON.stringify(event)) },
    );
    const { processes, leaks } = watched.stop();
    client.dispose(cancelledError('testing'));
    host.kill();
    expect(outcome).toBe('finished');
    expect(leaks).toEqual([]);
    // The host and both of its workers were looked at.
    expect(processes).toBeGreaterThanOrEqual(3);
    expectRequests(asked);
    expectNoKey(told.join('\n'), 'what was told');
    // What the server repeated of it stands in the journal, without it.
    expect(await readFile(path.join(run.folder, JOURNAL_FILE), 'utf8')).toContain('[key]');
    await expectNoKeyBelow(root);
  });

  it('that the command line finds in its environment goes no further', async () => {
    const root = await mkdtemp(path.join(folder, 'cli-'));
    const child = spawn(
      process.execPath,
      [
        ...[path.join(ROOT, 'dist/cli.cjs'), 'search', '--method', 'self-pruner', '--json', '--workers', '2'],
        ...['--model', files.model, '--text', files.text, '--calibration', files.calibration, '--sparsity', '40%'],
        ...['--device', 'cpu', '--threads', '2', '--length', '32', '--samples', '4', '--blocks', '8'],
        ...['--population', '4', '--mutations', '2', '--crossovers', '2', '--generations', '3', '--retries', '1'],
        ...['--provider', 'openai', '--endpoint', llm.url, '--llm', 'scripted'],
      ],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ESPALIER_LLM_KEY: KEY, XDG_CACHE_HOME: path.join(root, 'cache') },
      },
    );
    let told = '';
    child.stdout.on('data', (data: Buffer) => (told += data.toString()));
    child.stderr.on('data', (data: Buffer) => (told += data.toString()));
    const asked = llm.requests.length;
    const watched = watch(child.pid!, (pid) => pid === child.pid);
    // What is looked for is there to be found.
    expect(read(`/proc/${child.pid}/environ`)).toContain(KEY);
    const code = await new Promise((resolve) => child.once('close', resolve));
    const { processes, leaks } = watched.stop();
    expect([code, told.slice(-500)]).toEqual([0, expect.any(String)]);
    expect(leaks).toEqual([]);
    expect(processes).toBeGreaterThanOrEqual(3);
    expectRequests(asked);
    expectNoKey(told, 'output');
    await expectNoKeyBelow(root);
  });
});

/** They came with the key: it was not lost on the way. */
function expectRequests(before: number): void {
  const requests = llm.requests.slice(before);
  expect(requests.length).toBeGreaterThan(4);
  expect(requests.every(({ authorization }) => authorization === `Bearer ${KEY}`)).toBe(true);
}

function expectNoKey(text: string, what: string): void {
  for (const spelling of SPELLINGS) expect(text.includes(spelling), `${what} holds ${spelling}`).toBe(false);
}

async function expectNoKeyBelow(root: string): Promise<void> {
  let looked = 0;
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    expectNoKey(await readFile(file, 'latin1'), file);
    looked++;
  }
  // run.json, journal and log at least.
  expect(looked).toBeGreaterThanOrEqual(3);
}

function descendantsOf(pid: number): readonly number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      const status = read(`/proc/${name}/stat`) ?? '';
      return [Number(name), Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1])] as const;
    });
  const found: number[] = [];
  const walk = (parent: number): void => {
    for (const [child, of] of parents) {
      if (of !== parent) continue;
      found.push(child);
      walk(child);
    }
  };
  walk(pid);
  return found;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
