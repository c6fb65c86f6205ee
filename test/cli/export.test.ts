import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { FAMILIES } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';

// The built command and the built worker: exports are verified, and speeds measured, in processes of their own.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist/cli.cjs');

let folder: string;
const inputs = ['--model', 'model', '--text', 'text.txt', '--calibration', 'text.txt', '--device', 'cpu'].concat(
  ...['--threads', '1', '--length', '16', '--samples', '2', '--blocks', '2'],
);

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  folder = await mkdtemp(join(tmpdir(), 'espalier-export-'));
  await generateCheckpoint(join(folder, 'model'), FAMILIES['llama-2 grouped queries']);
  await writeFile(join(folder, 'text.txt'), generateText(1, 4000));
  await writeFile(join(folder, 'metrics.prune'), 'metric magnitude = W\nmetric wanda = W * sqrt(X)\n');
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly status: number | NodeJS.Signals;
  readonly out: string;
  readonly err: string;
}

function run(file: string, words: readonly string[], killAfter?: number): Promise<Ended> {
  const child = spawn(file, words, { cwd: folder, env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') } });
  const text = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (text.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text.err += data.toString()));
  if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ status: code ?? signal!, ...text });
    });
  });
}

const espalier = (words: readonly string[], killAfter?: number): Promise<Ended> => run(CLI, words, killAfter);
const json = ({ out }: Ended) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('espalier export', () => {
  it('writes a model that evaluates as what it was made from, and is not slower to say so', async () => {
    const exported = await espalier(['export', '--structure', 'wanda-sp', ...inputs, '--to', 'smaller', '--json']);
    expect(exported).toMatchObject({ status: 0, err: '' });
    const [report] = json(exported);
    expect(report).toMatchObject({ format: 'huggingface', verification: { tokens: 16, rows: 16 } });
    const { perplexity } = report!['result'] as { perplexity: number };
    const evaluated = await espalier(['evaluate', ...inputs.with(1, 'smaller'), '--json']);
    expect(json(evaluated)[0]!['perplexity'] as number).toBeCloseTo(perplexity, 1);

    const speed = ['speed', 'model', 'smaller', '--device', 'cpu', '--threads', '1', '--length', '16'];
    const [dense, pruned] = json(await espalier([...speed, '--batch', '2', '--rounds', '2', '--json']));
    expect(dense).toMatchObject({ model: 'model', speedUp: 1, batch: 2, length: 16, rounds: 2 });
    expect(pruned!['parameters']).toBeLessThan(dense!['parameters'] as number);
    expect(pruned!['peakMemory']).toBeGreaterThan(1e7);
  });

  it('writes ONNX that onnxruntime runs without us, for any batch and length', async () => {
    const { status } = await espalier([
      'export',
      '--structure',
      'magnitude',
      ...inputs,
      '--to',
      'onnx',
      '--format',
      'onnx',
    ]);
    expect(status).toBe(0);
    const script = join(ROOT, 'node_modules/.cache/espalier-plain-onnxruntime.cjs');
    await writeFile(script, PLAIN);
    const { out, err } = await run(process.execPath, [script, join(folder, 'onnx/model.onnx')]);
    expect(err).toBe('');
    expect(JSON.parse(out)).toEqual({
      dims: [
        [1, 5, 384],
        [2, 7, 384],
      ],
      sameAlone: true,
      causal: true,
    });
  });

  it('a kill leaves no half of a model under the name', async () => {
    for (const milliseconds of [300, 500]) {
      const to = `killed-${milliseconds}`;
      await espalier(['export', 'metrics.prune', '--metric', 'wanda', ...inputs, '--to', to], milliseconds);
      // The folder is not there, or it is whole.
      if (existsSync(join(folder, to))) expect(await readdir(join(folder, to))).toContain('README.md');
    }
  });
});

describe('what cannot be meant is said before anything is loaded', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['no folder', ['export', '--expression', 'W', ...inputs], /no --to/],
    ['nothing to prune', ['export', ...inputs, '--to', 'x'], /one way of pruning, got none/],
    ['several', ['export', 'metrics.prune', ...inputs, '--to', 'x'], /got 2: magnitude, wanda/],
    ['a candidate of nothing', ['export', '--candidate', '1', ...inputs, '--to', 'x'], /Add --run/],
    ['a run and a metric', ['export', '--run', 'r', '--expression', 'W', '--to', 'x'], /Leave one of the two out/],
    ['a run that is none', ['export', '--run', 'r', '--to', 'x'], /no run at all/],
    ['nothing to measure', ['speed'], /checkpoint folders, or what to prune, got neither/],
    ['a batch of nothing', ['speed', 'model', '--batch', '0'], /whole number from 1/],
  ])('%s: exit 2', async (_, words, says) => {
    let err = '';
    const nowhere = () => Promise.reject(new Error('nothing is to be loaded'));
    const code = await runCommandLine(words, {
      terminal: createTerminal({ write: () => true }, { write: (text) => (err += text) }, {}),
      folder,
      keys: {},
      shippedPrompts: '',
      signal: new AbortController().signal,
      createEngine: nowhere,
      listDevices: nowhere,
      forkWorker: () => {
        throw new Error('nothing is to be started');
      },
    });
    expect(err).toMatch(says);
    expect(code).toBe(2);
  });
});

/** Knows nothing of Espalier: loads by path, runs two batches, compares a sequence alone with the same one in a batch. */
const PLAIN = `
const ort = require('onnxruntime-node');
(async () => {
  const session = await ort.InferenceSession.create(process.argv[2], { logSeverityLevel: 4 });
  const run = async (batch, ids) => {
    const data = BigInt64Array.from(ids, BigInt);
    return (await session.run({ input_ids: new ort.Tensor('int64', data, [batch, ids.length / batch]) })).logits;
  };
  const one = await run(1, [3, 1, 4, 1, 5]);
  const two = await run(2, [3, 1, 4, 1, 5, 9, 2, 3, 1, 4, 1, 5, 0, 0]);
  const near = (a, b, n) => a.slice(0, n).every((value, i) => Math.abs(value - b[i]) < 1e-4);
  const length = 5 * 384;
  console.log(JSON.stringify({
    dims: [one.dims, two.dims],
    sameAlone: near(one.data, two.data, length),
    causal: near(two.data, two.data.slice(7 * 384), length),
  }));
})();
`;
