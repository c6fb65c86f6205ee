import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { Supervisor } from '../../src/extension/worker/supervisor.ts';
import { removeTemporary, temporaryBeside } from '../../src/files/temporary.ts';
import { forkWorker } from '../../src/protocol/workerProcess.ts';
import type { WorkerProcess } from '../../src/protocol/workerProcess.ts';
import { samplePlan } from '../protocol/samples.ts';

// The real worker in a process of its own, bundled as for the extension.

const root = path.resolve(import.meta.dirname, '../..');
const shared = path.resolve(root, '../shared');
const model = path.join(shared, 'models/wikitext-llama-6m');
const corpora = path.join(shared, 'data/wikitext-2');

let folder: string;
let file: string;
const started: WorkerProcess[] = [];

beforeAll(async () => {
  // Below the repository, so that onnxruntime-node is found from there.
  const cache = path.join(root, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(path.join(cache, 'worker-test-'));
  file = path.join(folder, 'worker.cjs');
  await build({
    entryPoints: [path.join(root, 'src/worker/main.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['onnxruntime-node'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;` },
    logLevel: 'error',
  });
});

afterAll(async () => {
  for (const worker of started) worker.kill();
  await rm(folder, { recursive: true, force: true });
});

function supervise(log: string[] = []) {
  const supervisor = new Supervisor({
    spawn: () => {
      const worker = forkWorker({ file, cacheFolder: path.join(folder, 'cache'), log: (line) => log.push(line) });
      started.push(worker);
      return worker;
    },
    version: '1',
    clock: {
      now: () => performance.now(),
      after: (milliseconds, callback) => {
        const timer = setTimeout(callback, milliseconds);
        return () => {
          clearTimeout(timer);
        };
      },
    },
    log: (line) => log.push(line),
  });
  return { supervisor, log };
}

const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof EspalierError ? error : String(error)),
  );

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie answers too; it is gone all the same.
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the worker process', () => {
  it('that is killed in the middle leaves no gradients half written: they are gone when its end is told', async () => {
    const cache = path.join(folder, 'killed');
    const worker = forkWorker({ file, cacheFolder: cache, log: () => undefined });
    started.push(worker);
    // As `temporaryBeside` names it in that process.
    const ours = temporaryBeside(path.join(cache, 'gradients', 'a'.repeat(64)));
    const halfDone = ours.replace(`.${process.pid}-`, `.${worker.pid!}-`);
    await mkdir(halfDone, { recursive: true });
    await mkdir(ours);
    const ended = new Promise((resolve) => {
      worker.onExit(resolve);
    });
    worker.kill();
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect([existsSync(halfDone), existsSync(ours)]).toEqual([false, true]);
    await removeTemporary(ours);
  });

  it('starts, answers, identifies files and shuts down without being killed', async () => {
    const { supervisor, log } = supervise();
    const corpus = path.join(folder, 'corpus.txt');
    await writeFile(corpus, 'abc');
    await expect(
      supervisor.request('identify', { models: ['/nowhere'], files: [corpus, '/nowhere'] }),
    ).resolves.toEqual({
      models: [null],
      files: ['ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', null],
    });
    const pid = (supervisor.state as { pid: number }).pid;
    await supervisor.stop();
    expect(alive(pid)).toBe(false);
    expect(log.join('\n')).not.toContain('SIGKILL');
  });

  it('says in a coded error what is wrong with a checkpoint', async () => {
    const { supervisor } = supervise();
    const error = (await outcomeOf(supervisor.request('evaluate', samplePlan({ model: folder })))) as EspalierError;
    expect(error.code).toMatch(/^checkpoint\//);
    expect(error.data.remedy).not.toBe('');
    supervisor.dispose();
  });

  it('from a terminal says what it is', async () => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'pipe'] });
    const words = await new Promise<string>((resolve) =>
      child.stderr.once('data', (data: Buffer) => {
        resolve(String(data));
      }),
    );
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect([words, code]).toEqual([expect.stringContaining('espalier evaluate'), 64]);
  });

  it('does not outlive its parent, even when its main thread is held', async () => {
    // A parent that starts the worker and waits; the worker's main thread is then held for a minute by a loop.
    const held = path.join(folder, 'held.cjs');
    await writeFile(
      held,
      `${readFileSync(file, 'utf8')}\nsetTimeout(() => { const end = Date.now() + 60_000; while (Date.now() < end); }, 300);\n`,
    );
    const parent = path.join(folder, 'parent.cjs');
    await writeFile(
      parent,
      `const child = require('node:child_process').fork(process.argv[2], [], { execArgv: [] });
       child.on('spawn', () => process.send(child.pid)); setInterval(() => {}, 1000);`,
    );
    for (const worker of [file, held]) {
      const { process: keeper, pid } = await startParent(parent, worker);
      await new Promise((resolve) => setTimeout(resolve, 900));
      expect(alive(pid)).toBe(true);
      keeper.kill('SIGKILL');
      await expect.poll(() => alive(pid), { timeout: 5000, interval: 50 }).toBe(false);
    }
  });
});

describe.skipIf(process.platform === 'win32')('a worker that is stopped', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)('does not outlive its parent, when that is ended by %s', async (signal) => {
    const parent = path.join(folder, 'host.cjs');
    const contents = `
      import { forkWorker } from './src/protocol/workerProcess.ts';
      const log = () => undefined;
      const [ended, worker] = [0, 1].map(() => forkWorker({ file: process.argv[2], cacheFolder: undefined, log }));
      ended.onExit(() => process.send(worker.pid));
      ended.kill();
      setInterval(() => {}, 1000);`;
    await build({
      stdin: { contents, resolveDir: root, loader: 'ts' },
      ...{ outfile: parent, bundle: true, platform: 'node', format: 'cjs' },
    });
    const { process: host, pid } = await startParent(parent, file);
    process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(alive(pid)).toBe(true);
    host.kill(signal);
    await expect.poll(() => alive(pid), { timeout: 5000, interval: 50 }).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('ending a worker ends what it has started', () => {
  it.each<[string, (worker: WorkerProcess) => void]>([
    [
      'when it is killed',
      (worker) => {
        worker.kill();
      },
    ],
    [
      'when its parent goes away',
      (worker) => {
        void worker.writer.write({ jsonrpc: '2.0' });
      },
    ],
  ])('%s', async (_, end) => {
    const script = path.join(folder, 'withChild.cjs');
    // Stands for a worker whose device probe hangs in a driver.
    const contents = `
      import { spawn } from 'node:child_process';
      import { endProcessGroup } from './src/worker/parentWatch.ts';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      console.error(child.pid);
      process.on('message', () => process.disconnect());
      process.once('disconnect', endProcessGroup);`;
    await build({
      stdin: { contents, resolveDir: root, loader: 'ts' },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
    const lines: string[] = [];
    const worker = forkWorker({ file: script, cacheFolder: folder, log: (line) => lines.push(line) });
    started.push(worker);
    await expect.poll(() => lines.length, { timeout: 5000 }).toBe(1);
    const [pid, child] = [worker.pid!, Number(lines[0])];
    expect([alive(pid), alive(child)]).toEqual([true, true]);
    end(worker);
    await expect.poll(() => [alive(pid), alive(child)], { timeout: 5000 }).toEqual([false, false]);
  });
});

describe.skipIf(!existsSync(model))('an evaluation in the worker (needs ../shared)', () => {
  let text: string;
  let calibration: string;
  const plan = (blocks: number) =>
    samplePlan({
      model,
      text,
      calibration,
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', samples: 8, length: 128, blocks, offsets: 'even' },
    });

  // The beginnings of the corpora: what is tested here is not the tokenizer.
  beforeAll(async () => {
    text = path.join(folder, 'text.txt');
    calibration = path.join(folder, 'calibration.txt');
    await writeFile(text, readFileSync(path.join(corpora, 'wiki.test.raw'), 'utf8').slice(0, 100_000));
    await writeFile(calibration, readFileSync(path.join(corpora, 'valid.txt'), 'utf8').slice(0, 50_000));
  });

  it('gives a result, progress before it, and the hashes that identify gives', async () => {
    const { supervisor } = supervise();
    const details: string[] = [];
    const results = await supervisor.request('evaluate', plan(4), { onProgress: ({ detail }) => details.push(detail) });
    expect(results[0]!.perplexity).toBeGreaterThan(results[0]!.densePerplexity!);
    expect(details.length).toBeGreaterThan(2);
    const { provenance } = results[0]!;
    await expect(supervisor.request('identify', { models: [model], files: [text, calibration] })).resolves.toEqual({
      models: [provenance.modelHash],
      files: [provenance.textHash, provenance.calibrationHash],
    });
    supervisor.dispose();
  });

  it('is cancelled within two seconds and the worker goes on', async () => {
    const { supervisor } = supervise();
    const controller = new AbortController();
    let cancelledAt = 0;
    const outcome = outcomeOf(
      supervisor.request('evaluate', plan(0), {
        signal: controller.signal,
        onProgress: ({ stage }) => {
          if (stage !== 'evaluating' || cancelledAt > 0) return;
          cancelledAt = performance.now();
          controller.abort();
        },
      }),
    );
    expect(((await outcome) as EspalierError).code).toBe('cancelled');
    expect(performance.now() - cancelledAt).toBeLessThan(2000);
    expect(supervisor.state.kind).toBe('ready');
    expect(await supervisor.request('evaluate', plan(2))).toHaveLength(1);
    supervisor.dispose();
  });

  it('killed in the middle fails with the signal, and the next one works', async () => {
    const { supervisor, log } = supervise();
    const outcome = outcomeOf(
      supervisor.request('evaluate', plan(0), {
        onProgress: ({ stage }) => {
          if (stage === 'evaluating') process.kill((supervisor.state as { pid: number }).pid, 'SIGKILL');
        },
      }),
    );
    const error = (await outcome) as EspalierError;
    expect([error.code, error.data.actual]).toEqual(['worker/exited', expect.stringContaining('SIGKILL')]);
    expect(log.join('\n')).toContain('SIGKILL');
    expect(await supervisor.request('evaluate', plan(2))).toHaveLength(1);
    supervisor.dispose();
  });
});

function startParent(parent: string, worker: string): Promise<{ process: ChildProcess; pid: number }> {
  const child = fork(parent, [worker], { execArgv: [] });
  return new Promise((resolve) =>
    child.once('message', (pid) => {
      resolve({ process: child, pid: pid as number });
    }),
  );
}
