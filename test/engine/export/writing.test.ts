import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { byteLength, elementCount, type FloatType } from '../../../src/engine/checkpoint/elementTypes.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { writeSafetensors } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { readParameter } from '../../../src/engine/checkpoint/readParameter.ts';
import { readSafetensorsHeader } from '../../../src/engine/checkpoint/safetensors.ts';
import { CheckpointWriter, type TensorForm } from '../../../src/engine/export/checkpointWriter.ts';
import { copyCompanions } from '../../../src/engine/export/companions.ts';
import { copyMasked, copyTensor } from '../../../src/engine/export/copyTensor.ts';
import { writeNewFolder } from '../../../src/engine/export/newFolder.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
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
    copyMasked(source, parameter, pruned, zeros);
    await zeros.finish();
    expect((await openCheckpoint(masked)).read(tensor, shape)).toEqual(pruned);
    source.close();
  });

  it.each(['F32', 'BF16'] as const)('%s: the same of a matrix that is stored turned', async (dtype) => {
    const source = await sourceOf(dtype);
    const stored = parameters.find(({ tensor }) => tensor.endsWith('down_proj.weight'))!;
    const { tensor } = stored;
    const parameter = { ...stored, shape: stored.shape.toReversed(), transposed: true };
    const [rows, columns] = parameter.shape as [number, number];
    const values = readParameter(source, parameter);
    expect(values[1 * columns + 2]).toBe(source.read(tensor, stored.shape)[2 * rows + 1]);

    const [someRows, someColumns] = [
      [1, 4, 5],
      [0, 2],
    ].map((kept, axis) => Uint8Array.from({ length: [rows, columns][axis]! }, (_, i) => Number(kept.includes(i))));
    const folder = await folderFor();
    const writer = new CheckpointWriter(folder, new Map([[tensor, { dtype, shape: [2, 3] }]]));
    await copyTensor(
      source,
      { kind: 'stored', parameter, rows: someRows!, columns: someColumns! },
      writer,
      tensor,
      noStep,
    );
    await writer.finish();
    const smaller = await openCheckpoint(folder);
    expect(readParameter(smaller, { ...parameter, shape: [3, 2] })).toEqual(
      values.filter((_, i) => someRows![Math.floor(i / columns)]! & someColumns![i % columns]!),
    );

    const masked = await folderFor();
    const zeros = new CheckpointWriter(masked, new Map([[tensor, { dtype, shape: stored.shape }]]));
    const pruned = values.map((value, i) => (i % 7 === 0 ? 0 : value));
    copyMasked(source, parameter, pruned, zeros);
    await zeros.finish();
    expect(readParameter(await openCheckpoint(masked), parameter)).toEqual(pruned);
    source.close();
  });
});

it('every tensor begins at a multiple of the width of its elements, whatever comes before it', async () => {
  const forms: readonly (readonly [string, TensorForm])[] = [
    ['odd', { dtype: 'BF16', shape: [3] }],
    ['wide', { dtype: 'F32', shape: [1] }],
    ['odd too', { dtype: 'F16', shape: [5] }],
    ['wider', { dtype: 'F64', shape: [2] }],
  ];
  const folder = await folderFor();
  const writer = new CheckpointWriter(folder, new Map(forms));
  for (const [name, { dtype, shape }] of forms) writer.write(name, 0, new Uint8Array(byteLength(dtype, shape[0]!)!));
  await writer.finish();
  const { tensors } = await readSafetensorsHeader(path.join(folder, 'model.safetensors'));
  const offsets = forms.map(([name, { dtype }]) => tensors.get(name)!.begin % byteLength(dtype, 1)!);
  expect(offsets).toEqual([0, 0, 0, 0]);
});

it('tokenizer and licence go along, and folders do not', async () => {
  const [from, to] = [await folderFor(), await mkdtemp(path.join(root, 'companions-'))];
  await mkdir(path.join(from, 'LICENSES'));
  await symlink('nowhere', path.join(from, 'NOTICE'));
  for (const name of ['tokenizer.json', 'LICENSE.md', 'notes.txt']) await writeFile(path.join(from, name), name);
  await copyCompanions(from, to);
  expect((await readdir(to)).sort()).toEqual(['LICENSE.md', 'tokenizer.json']);
});

describe('an export takes nothing along that lies outside of the checkpoint', () => {
  const secret = async (): Promise<string> => {
    const file = path.join(await mkdtemp(path.join(root, 'home-')), 'id_rsa');
    await writeFile(file, 'secret');
    return file;
  };

  it.each(['LICENSE', 'generation_config.json', 'tokenizer_config.json', 'NOTICE.txt'])(
    '%s that is a link to a secret is left out, and said to be',
    async (name) => {
      const [from, to] = [await folderFor(), await mkdtemp(path.join(root, 'companions-'))];
      await writeFile(path.join(from, 'tokenizer.json'), '{}');
      await symlink(await secret(), path.join(from, name));
      expect(await copyCompanions(from, to)).toEqual([name]);
      expect(await readdir(to)).toEqual(['tokenizer.json']);
    },
  );

  it('a link through a folder that is a link is left out, too', async () => {
    const [from, to] = [await folderFor(), await mkdtemp(path.join(root, 'companions-'))];
    await symlink(path.dirname(await secret()), path.join(from, 'elsewhere'));
    await symlink(path.join('elsewhere', 'id_rsa'), path.join(from, 'LICENSE'));
    expect(await copyCompanions(from, to)).toEqual(['LICENSE']);
    expect(await readdir(to)).toEqual([]);
  });

  it('a tokenizer.json that is one is refused: without it the export reads no text', async () => {
    const [from, to] = [await folderFor(), await mkdtemp(path.join(root, 'companions-'))];
    await symlink(await secret(), path.join(from, 'tokenizer.json'));
    const failure = await failureOf(() => copyCompanions(from, to));
    expect(failure.code).toBe('checkpoint/tokenizer');
    expect(failure.message).toMatch(/leads out of it.*copy of the file/);
  });

  it('links inside the checkpoint, and from a snapshot of the hub into its blobs, are followed', async () => {
    const hub = path.join(await mkdtemp(path.join(root, 'hub-')), 'models--some--model');
    const [from, to] = [path.join(hub, 'snapshots', 'abc'), await mkdtemp(path.join(root, 'companions-'))];
    await mkdir(from, { recursive: true });
    await mkdir(path.join(hub, 'blobs'));
    await writeFile(path.join(hub, 'blobs', '0123'), 'tokens');
    await symlink('../../blobs/0123', path.join(from, 'tokenizer.json'));
    await writeFile(path.join(from, 'terms.txt'), 'terms');
    await symlink('terms.txt', path.join(from, 'LICENSE'));
    await symlink(await secret(), path.join(from, 'NOTICE'));
    expect(await copyCompanions(from, to)).toEqual(['NOTICE']);
    expect((await readdir(to)).sort()).toEqual(['LICENSE', 'tokenizer.json']);
    expect(await readFile(path.join(to, 'tokenizer.json'), 'utf8')).toBe('tokens');
    expect((await lstat(path.join(to, 'LICENSE'))).isFile()).toBe(true);
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

  it.each([
    ['a file', (place: string) => writeFile(place, 'x')],
    ['a link to what is not there', (place: string) => symlink('nowhere', place)],
  ])('%s is refused before anything is done', async (what, make) => {
    const place = path.join(await mkdtemp(path.join(root, 'taken-')), 'place');
    await make(place);
    const failure = await failureOf(() => writeNewFolder(place, () => Promise.reject(new Error('it was begun'))));
    expect(failure).toMatchObject({ code: 'export/exists', data: { actual: what } });
  });

  it('an empty folder is filled, through a link too, and errors of ours pass', async () => {
    for (const name of ['empty', 'linked']) await mkdir(path.join(root, name));
    await symlink('linked', path.join(root, 'link'));
    for (const name of ['empty', 'link']) {
      await writeNewFolder(path.join(root, name), (temporary) => writeFile(path.join(temporary, 'whole'), 'x'));
    }
    for (const name of ['empty', 'linked', 'link']) expect(await readdir(path.join(root, name))).toEqual(['whole']);
    const ours = new EspalierError({ code: 'cancelled', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' });
    const failure = await failureOf(() => writeNewFolder(path.join(root, 'ours'), () => Promise.reject(ours)));
    expect(failure).toBe(ours);
  });
});
