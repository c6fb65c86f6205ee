import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { elementCount, type FloatType } from '../../../src/engine/checkpoint/elementTypes.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { writeSafetensors } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { CheckpointWriter } from '../../../src/engine/export/checkpointWriter.ts';
import { copyMasked, copyTensor } from '../../../src/engine/export/copyTensor.ts';
import { writeNewFolder } from '../../../src/engine/export/newFolder.ts';
import { allParameters } from '../../../src/engine/models/model.ts';
import { EspalierError } from '../../../src/base/errors.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { TINY_LLAMA } from '../checkpoint/tinyConfigs.ts';

const config = { ...TINY_LLAMA, num_hidden_layers: 1 };
const parameters = allParameters(parseConfig(config, 'config.json'));
const noStep = (): Promise<void> => Promise.resolve();

let root: string;
beforeAll(async () => (root = await mkdtemp(path.join(tmpdir(), 'espalier-writing-'))));
afterAll(() => rm(root, { recursive: true }));

/** A folder with config.json, where a checkpoint can be written to and opened. */
async function folderFor(): Promise<string> {
  const folder = await mkdtemp(path.join(root, 'model-'));
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

async function sourceOf(dtype: 'F32' | 'F16' | 'BF16') {
  const folder = await folderFor();
  // Every element is another number, some of them subnormal or infinite in sixteen bits.
  const tensors = parameters.map(({ tensor, shape }, t) => {
    const data = Float32Array.from(
      { length: elementCount(shape)! },
      (_, i) => (i - 40.5) * 10 ** ((i % 11) - 6) * (t + 1),
    );
    return [tensor, { dtype, shape, data }] as const;
  });
  await writeSafetensors(path.join(folder, 'model.safetensors'), new Map(tensors));
  return openCheckpoint(folder);
}

describe('weights are copied bit by bit', () => {
  const forms = (dtype: FloatType) => new Map(parameters.map(({ tensor, shape }) => [tensor, { dtype, shape }]));

  it.each([
    ['F32', 1e12, ['model.safetensors']],
    ['BF16', 30_000, ['model-00001-of-00004.safetensors', 'model.safetensors.index.json']],
    ['F16', 1, ['model-00012-of-00012.safetensors', 'model.safetensors.index.json']],
  ] as const)('%s, at most %d bytes a file', async (dtype, limit, files) => {
    const source = await sourceOf(dtype);
    const folder = await folderFor();
    const writer = new CheckpointWriter(folder, forms(dtype), limit);
    // In another order than that of the file.
    for (const parameter of parameters.toReversed()) {
      await copyTensor(source, { kind: 'stored', parameter }, writer, parameter.tensor, noStep);
    }
    await writer.finish();
    expect(await readdir(folder)).toEqual(expect.arrayContaining([...files]));
    const copy = await openCheckpoint(folder);
    for (const { tensor, shape } of parameters) {
      expect(copy.tensors.get(tensor)!.dtype).toBe(dtype);
      expect(copy.read(tensor, shape)).toEqual(source.read(tensor, shape));
    }
    for (const checkpoint of [copy, source]) checkpoint.close();
  });

  it.each(['F32', 'BF16'] as const)('%s: rows, columns, and zeros where they were pruned', async (dtype) => {
    const source = await sourceOf(dtype);
    const [parameter] = parameters.filter(({ tensor }) => tensor.endsWith('down_proj.weight')) as [
      (typeof parameters)[0],
    ];
    const { tensor, shape } = parameter;
    const [rows, columns] = shape as [number, number];
    const before = source.read(tensor, shape);
    const every = (size: number, step: number) => Uint8Array.from({ length: size }, (_, i) => (i % step === 1 ? 1 : 0));

    const [someRows, someColumns] = [every(rows, 3), every(columns, 5)];
    const count = (bits: Uint8Array) => bits.filter(Boolean).length;
    const smaller = [count(someRows), count(someColumns)];
    const folder = await folderFor();
    const writer = new CheckpointWriter(folder, new Map([[tensor, { dtype, shape: smaller }]]));
    await copyTensor(
      source,
      { kind: 'stored', parameter, rows: someRows, columns: someColumns },
      writer,
      tensor,
      noStep,
    );
    await writer.finish();
    const taken = before.filter((_, i) => someRows[Math.floor(i / columns)]! & someColumns[i % columns]!);
    expect((await openCheckpoint(folder)).read(tensor, smaller)).toEqual(taken);

    const masked = await folderFor();
    const zeros = new CheckpointWriter(masked, new Map([[tensor, { dtype, shape }]]));
    const pruned = before.map((value, i) => (i % 7 === 0 ? 0 : value));
    copyMasked(source, tensor, shape, pruned, zeros);
    await zeros.finish();
    expect((await openCheckpoint(masked)).read(tensor, shape)).toEqual(pruned);
    source.close();
  });
});

describe('a folder is there as a whole or not at all', () => {
  it('what the system refuses is io/write, and nothing stays', async () => {
    const folder = path.join(root, 'refused');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    const failure = await failureOf(() =>
      writeNewFolder(folder, async (temporary) => {
        await writeFile(path.join(temporary, 'half'), 'x');
        throw full;
      }),
    );
    expect(failure.code).toBe('io/write');
    expect(failure.message).toMatch(/no space left on device.*Make room/);
    expect((await readdir(root)).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('a folder that fills up meanwhile is left as it is', async () => {
    const folder = path.join(root, 'filling');
    await mkdir(folder);
    const failure = await failureOf(() => writeNewFolder(folder, () => writeFile(path.join(folder, 'mine'), 'x')));
    expect(failure.code).toBe('export/exists');
    expect(await readdir(folder)).toEqual(['mine']);
    expect((await readdir(root)).filter((name) => name.startsWith('filling'))).toEqual(['filling']);
  });

  it('an empty folder is filled, and errors of ours pass', async () => {
    const folder = path.join(root, 'empty');
    await mkdir(folder);
    await writeNewFolder(folder, (temporary) => writeFile(path.join(temporary, 'whole'), 'x'));
    expect(await readdir(folder)).toEqual(['whole']);
    const ours = new EspalierError({ code: 'cancelled', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' });
    const failure = await failureOf(() => writeNewFolder(path.join(root, 'ours'), () => Promise.reject(ours)));
    expect(failure).toBe(ours);
  });
});
