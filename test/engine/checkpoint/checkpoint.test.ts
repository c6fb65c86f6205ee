import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { writeSafetensors } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { TINY_LLAMA } from './tinyConfigs.ts';
import type { TensorToWrite } from '../../../src/engine/checkpoint/safetensorsWriter.ts';

const root = mkdtempSync(path.join(tmpdir(), 'espalier-checkpoint-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

let folder: string;
let count = 0;
beforeEach(() => {
  folder = path.join(root, `${count++}`);
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(TINY_LLAMA));
});

const matrix: TensorToWrite = { dtype: 'BF16', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
const vector: TensorToWrite = { dtype: 'F16', shape: [4], data: Float32Array.of(0.5, -0.5, 0, 65_504) };

async function write(file: string, tensors: Record<string, TensorToWrite>): Promise<void> {
  rmSync(path.join(folder, file), { force: true });
  await writeSafetensors(path.join(folder, file), new Map(Object.entries(tensors)));
}

function writeIndex(map: unknown): void {
  replaceFile(
    path.join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }),
  );
}

describe('reading tensors', () => {
  it('by name and shape, whole or by rows, into a new array or a given one', async () => {
    await write('model.safetensors', { matrix, vector });
    const checkpoint = await openCheckpoint(folder);
    expect(Array.from(checkpoint.read('matrix', [3, 2]))).toEqual([1, 2, 3, 4, 5, 6]);
    const into = new Float32Array(8).fill(7);
    const part = checkpoint.read('vector', [4], into.subarray(2, 6));
    expect(Array.from(into)).toEqual([7, 7, 0.5, -0.5, 0, 65_504, 7, 7]);
    expect(part.buffer).toBe(into.buffer);
    expect(Array.from(checkpoint.readRows('matrix', [3, 2], 1, 2))).toEqual([3, 4, 5, 6]);
    expect(checkpoint.readRows('matrix', [3, 2], 3, 0)).toHaveLength(0);
    checkpoint.close();
    expect(Array.from(checkpoint.readRows('matrix', [3, 2], 0, 1))).toEqual([1, 2]);
    checkpoint.close();
  });

  it('that span many chunks', async () => {
    const data = Float32Array.from({ length: 1_500_001 }, (_, i) => (i % 251) - 100);
    await write('model.safetensors', {
      half: { dtype: 'BF16', shape: [data.length], data },
      small: { dtype: 'F16', shape: [data.length], data },
      full: { dtype: 'F32', shape: [data.length], data },
    });
    const checkpoint = await openCheckpoint(folder);
    for (const name of ['half', 'small', 'full']) {
      expect(Buffer.compare(Buffer.from(checkpoint.read(name, [data.length]).buffer), Buffer.from(data.buffer))).toBe(
        0,
      );
    }
    checkpoint.close();
  });

  it('names the tensor, its shape and the file when they are not as expected', async () => {
    await write('model.safetensors', { matrix });
    const checkpoint = await openCheckpoint(folder);
    const check = async (work: () => unknown, code: string, says: RegExp): Promise<void> => {
      const failure = await failureOf(work);
      expect(failure.code).toBe(code);
      expect(failure.message).toMatch(says);
    };
    await check(() => checkpoint.read('other', [3, 2]), 'checkpoint/tensor', /other.*no tensor of this name/);
    await check(() => checkpoint.read('matrix', [2, 3]), 'checkpoint/tensor', /matrix of shape \[2, 3\].*\[3, 2\]/);
    await check(() => checkpoint.read('matrix', [6]), 'checkpoint/tensor', /\[6\].*\[3, 2\]/);
    await check(() => checkpoint.read('matrix', [3, 2], new Float32Array(5)), 'engine/invariant', /6 elements.*5/);
    await check(() => checkpoint.readRows('matrix', [3, 2], 2, 2), 'engine/invariant', /rows inside the 3/);
    await check(() => checkpoint.readRows('matrix', [3, 2], -1, 1), 'engine/invariant', /rows inside the 3/);
    checkpoint.close();
  });

  it('notices that a file was changed after it was opened', async () => {
    const file = path.join(folder, 'model.safetensors');
    const changes: Record<string, () => void> = {
      longer: () => {
        appendFileSync(file, 'x');
      },
      'cut off': () => {
        truncateSync(file, 40);
      },
      'touched with another content': () => {
        utimesSync(file, 1, 1);
      },
      replaced: () => {
        replaceFile(file, 'another file');
      },
      gone: () => {
        rmSync(file);
      },
    };
    for (const [name, change] of Object.entries(changes)) {
      await write('model.safetensors', { matrix });
      const checkpoint = await openCheckpoint(folder);
      change();
      const failure = await failureOf(() => checkpoint.read('matrix', [3, 2]));
      expect([name, failure.code, failure.data.file]).toEqual([name, 'checkpoint/safetensors', file]);
      checkpoint.close();
    }
  });

  it('reads on from the file that it has open when another is moved in its place', async () => {
    await write('model.safetensors', { matrix });
    const checkpoint = await openCheckpoint(folder);
    checkpoint.read('matrix', [3, 2]);
    replaceFile(path.join(folder, 'model.safetensors'), 'another file');
    expect(Array.from(checkpoint.read('matrix', [3, 2]))).toEqual([1, 2, 3, 4, 5, 6]);
    checkpoint.close();
  });
});

describe('finding the weights', () => {
  it('in shards', async () => {
    await write('model-00001-of-00002.safetensors', { matrix });
    await write('model-00002-of-00002.safetensors', { vector });
    writeIndex({ matrix: 'model-00001-of-00002.safetensors', vector: 'model-00002-of-00002.safetensors' });
    const checkpoint = await openCheckpoint(folder);
    expect([...checkpoint.tensors.keys()].sort()).toEqual(['matrix', 'vector']);
    expect(Array.from(checkpoint.read('vector', [4]))).toEqual(Array.from(vector.data));
    expect(Array.from(checkpoint.read('matrix', [3, 2]))).toEqual(Array.from(matrix.data));
    checkpoint.close();
  });

  it('in one file where there is an index as well', async () => {
    await write('model.safetensors', { matrix });
    writeIndex({ vector: 'gone.safetensors' });
    expect([...(await openCheckpoint(folder)).tensors.keys()]).toEqual(['matrix']);
  });

  it('through links, as in the Hugging Face cache', async () => {
    await write('blob-of-weights', { matrix });
    const snapshot = path.join(root, 'snapshots', 'abc');
    mkdirSync(snapshot, { recursive: true });
    for (const [link, target] of [
      ['model.safetensors', 'blob-of-weights'],
      ['config.json', 'config.json'],
    ] as const) {
      symlinkSync(path.relative(snapshot, path.join(folder, target)), path.join(snapshot, link));
    }
    const checkpoint = await openCheckpoint(snapshot);
    expect(Array.from(checkpoint.read('matrix', [3, 2]))).toEqual([1, 2, 3, 4, 5, 6]);
    checkpoint.close();
  });

  const shard = 'model-00001-of-00001.safetensors';
  it.each<[name: string, map: unknown, says: RegExp]>([
    ['a path upwards', { matrix: '../model.safetensors' }, /plain names.*\.\.\/model/],
    ['an absolute path', { matrix: '/etc/model.safetensors' }, /plain names/],
    ['a Windows path', { matrix: 'C:\\model.safetensors' }, /plain names/],
    ['a path upwards for Windows', { matrix: '..\\model.safetensors' }, /plain names/],
    ['a folder in between', { matrix: 'sub/model.safetensors' }, /plain names/],
    ['a stream of another file', { matrix: 'a:b.safetensors' }, /plain names/],
    ['a NUL', { matrix: 'a\0.safetensors' }, /plain names/],
    ['another kind of file', { matrix: 'pytorch_model.bin' }, /plain names of \.safetensors/],
    ['a hidden file', { matrix: '.safetensors' }, /plain names/],
    ['a number', { matrix: 3 }, /plain names/],
    ['nothing at all', undefined, /weight_map/],
    ['a list', [shard], /weight_map/],
    ['no tensors', {}, /at least one tensor/],
    ['a shard that is not there', { matrix: 'model-00009.safetensors' }, /model-00009\.safetensors.*no such file/],
    ['a tensor that the shard lacks', { matrix: shard, other: shard }, /"other" in model-00001/],
    ['a tensor too few', { other: shard }, /"other"|"matrix"/],
  ])('refuses an index with %s', async (_, map, says) => {
    await write(shard, { matrix });
    writeIndex(map);
    const failure = await failureOf(() => openCheckpoint(folder));
    expect(failure.code).toBe('checkpoint/shard-index');
    expect(failure.data.file).toBe(path.join(folder, 'model.safetensors.index.json'));
    expect(failure.message).toMatch(says);
  });

  it('refuses a tensor that two shards hold differently, and one that the index does not mention', async () => {
    await write('a.safetensors', { matrix });
    const other = {
      ...matrix,
      data: matrix.data.map((value, i) => (i === matrix.data.length - 1 ? value + 1 : value)),
    };
    await write('b.safetensors', { matrix: other, vector });
    writeIndex({ matrix: 'a.safetensors', vector: 'b.safetensors' });
    expect((await failureOf(() => openCheckpoint(folder))).message).toMatch(
      /"matrix" once, or the same every time, got another in b\.safetensors than in a\.safetensors/,
    );
    writeIndex({ matrix: 'b.safetensors' });
    expect((await failureOf(() => openCheckpoint(folder))).message).toMatch(/"vector" of b\.safetensors.*no mention/);
  });

  it.each<[file: string, says: RegExp]>([
    ['pytorch_model.bin', /PyTorch weights \(pytorch_model\.bin\).*save_pretrained/],
    ['pytorch_model-00001-of-00002.bin', /PyTorch weights.*Pickled/],
    ['consolidated.00.pth', /own layout/],
    ['model.Q4_K_M.gguf', /GGUF weights \(model\.Q4_K_M\.gguf\).*original safetensors/],
    ['tf_model.h5', /another format/],
    ['adapter_model.safetensors', /adapter.*merge_and_unload/],
    ['optimizer.safetensors', /only optimizer\.safetensors.*the weights themselves/],
    ['notes.txt', /neither.*Download the weights/],
  ])('says what to do about a folder with %s only', async (file, says) => {
    writeFileSync(path.join(folder, file), 'x');
    const failure = await failureOf(() => openCheckpoint(folder));
    expect(failure.code).toBe('checkpoint/not-found');
    expect(failure.message).toMatch(says);
  });

  it('says that there is no such folder, or that it is a file', async () => {
    expect((await failureOf(() => openCheckpoint(path.join(root, 'nowhere')))).message).toMatch(
      /no such folder.*Check the path/,
    );
    const file = path.join(folder, 'config.json');
    expect((await failureOf(() => openCheckpoint(file))).message).toMatch(/a file.*folder that holds/);
  });
});

describe('identity', () => {
  it('is that of the contents, wherever the folder lies', async () => {
    await write('model.safetensors', { matrix });
    writeFileSync(path.join(folder, 'tokenizer.json'), '{}');
    const identityOf = async (at: string) => (await (await openCheckpoint(at)).identity()).hash;
    const identity = await identityOf(folder);
    expect(identity).toMatch(/^[0-9a-f]{64}$/);
    const link = path.join(root, 'link');
    symlinkSync(folder, link);
    expect(await identityOf(link)).toBe(identity);
    const seen = new Set([identity]);
    for (const change of [
      async () => {
        writeFileSync(path.join(folder, 'tokenizer.json'), '{ }');
        await Promise.resolve();
      },
      async () => {
        writeFileSync(path.join(folder, 'config.json'), `${JSON.stringify(TINY_LLAMA)} `);
        await Promise.resolve();
      },
      () => write('model.safetensors', { vector }),
    ]) {
      await change();
      seen.add(await identityOf(folder));
    }
    expect(seen.size).toBe(4);
  });

  it('stops when asked to', async () => {
    await write('model.safetensors', { matrix });
    writeFileSync(path.join(folder, 'tokenizer.json'), '{}');
    const checkpoint = await openCheckpoint(folder);
    expect((await failureOf(() => checkpoint.identity(AbortSignal.abort()))).code).toBe('cancelled');
  });
});
