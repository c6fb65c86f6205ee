import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WeightFiles } from '../../../../src/engine/export/onnx/weightFiles.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a file ends before it is too large; what is larger by itself has one of its own', async () => {
  const files = new WeightFiles(folder, 'model.onnx', 256);
  for (const [name, length] of Object.entries({ a: 3, b: 40, c: 20, d: 100, e: 1 })) {
    files.add(name, [length], new Float32Array(length).fill(length));
  }
  files.finish();
  expect(files.stored.map(({ name, file, offset }) => [name, file, offset])).toEqual([
    ['a', 'model.onnx_data', 0],
    ['b', 'model.onnx_data', 64],
    ['c', 'model.onnx_data_1', 0],
    ['d', 'model.onnx_data_2', 0],
    ['e', 'model.onnx_data_3', 0],
  ]);
  expect(files.count).toBe(4);
  expect((await readdir(folder)).length).toBe(4);
});
