import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { type BuiltCommand, builtCommand, INPUTS, ROOT } from './builtCommand.ts';

// The built command and the built worker: exports are verified in a process of their own.

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand();
}, 120_000);
afterAll(() => command.remove());

describe('espalier export', () => {
  it('writes ONNX that onnxruntime runs without us, for any batch and length', async () => {
    const { status } = await command.espalier([
      'export',
      '--structure',
      'magnitude',
      ...INPUTS,
      '--to',
      'onnx',
      '--format',
      'onnx',
    ]);
    expect(status).toBe(0);
    // Below the repository, so that onnxruntime-node is found from there.
    const cache = join(ROOT, 'node_modules/.cache');
    await mkdir(cache, { recursive: true });
    const script = join(cache, `plain-onnxruntime-${process.pid}.cjs`);
    await writeFile(script, PLAIN);
    const { out, err } = await command.run(process.execPath, [script, join(command.folder, 'onnx/onnx/model.onnx')]);
    await rm(script);
    expect(err).toBe('');
    expect(JSON.parse(out)).toEqual({
      dims: [
        [1, 5, 384],
        [2, 7, 384],
      ],
      sameAlone: true,
      causal: true,
      samePadded: true,
    });
  });
});

describe('what cannot be meant is said before anything is loaded', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['no folder', ['export', '--expression', 'W', ...INPUTS], /no --to/],
    ['nothing to prune', ['export', ...INPUTS, '--to', 'x'], /one way of pruning, got none/],
    ['several', ['export', 'metrics.prune', ...INPUTS, '--to', 'x'], /got 2: magnitude, wanda/],
    ['a candidate of nothing', ['export', '--candidate', '1', ...INPUTS, '--to', 'x'], /Add --run/],
    ['a run and a metric', ['export', '--run', 'r', '--expression', 'W', '--to', 'x'], /Leave one of the two out/],
    ['a run and a structure', ['export', '--run', 'r', '--structure', 'flap', '--to', 'x'], /Leave one of the two out/],
    ['a run and rates', ['speed', '--run', 'r', '--owl-spread', '0.1'], /Leave one of the two out/],
    [
      'folders and a structure',
      ['speed', 'model', 'other', '--structure', 'flap', ...INPUTS],
      /folders to measure, or/,
    ],
    ['a sparsity of a folder', ['speed', 'model', '--sparsity', '50%'], /what to prune with --sparsity/],
    ['outliers of a folder', ['speed', 'model', '--owl-multiple', '5'], /what to prune with --owl-multiple/],
    ['a run that is none', ['export', '--run', 'r', '--to', 'x'], /no run at all/],
    ['nothing to measure', ['speed'], /checkpoint folders, or what to prune, got neither/],
    ['a batch of nothing', ['speed', 'model', '--batch', '0'], /whole number from 1/],
  ])('%s: exit 2', async (_, words, says) => {
    let err = '';
    const nowhere = () => Promise.reject(new Error('nothing is to be loaded'));
    const code = await runCommandLine(words, {
      terminal: createTerminal({ write: () => true }, { write: (text) => (err += text) }, {}),
      folder: command.folder,
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

/** Knows nothing of Espalier: loads by path, runs two batches, compares a sequence alone with the same one in a batch, also where it is padded on the left. */
const PLAIN = `
const ort = require('onnxruntime-node');
(async () => {
  const session = await ort.InferenceSession.create(process.argv[2], { logSeverityLevel: 4 });
  const past = session.inputMetadata.filter(({ name }) => name.startsWith('past_key_values.'));
  const run = async (batch, ids, mask = ids.map(() => 1)) => {
    const int64 = (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [batch, ids.length / batch]);
    const none = past.map(({ name, shape }) => [name, new ort.Tensor('float32', [], [batch, shape[1], 0, shape[3]])]);
    const keep = new ort.Tensor('int64', [0n], []);
    const inputs = { input_ids: int64(ids), attention_mask: int64(mask), num_logits_to_keep: keep, ...Object.fromEntries(none) };
    return (await session.run(inputs)).logits;
  };
  const one = await run(1, [3, 1, 4, 1, 5]);
  const two = await run(2, [3, 1, 4, 1, 5, 9, 2, 3, 1, 4, 1, 5, 0, 0]);
  const padded = await run(1, [7, 8, 3, 1, 4, 1, 5], [0, 0, 1, 1, 1, 1, 1]);
  const near = (a, b, n) => a.slice(0, n).every((value, i) => Math.abs(value - b[i]) < 1e-4);
  const length = 5 * 384;
  console.log(JSON.stringify({
    dims: [one.dims, two.dims],
    sameAlone: near(one.data, two.data, length),
    causal: near(two.data, two.data.slice(7 * 384), length),
    samePadded: near(one.data, padded.data.slice(2 * 384), length),
  }));
})();
`;
