import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InputHashes } from '../../../src/extension/evaluate/inputHashes.ts';
import type { StampedHashes } from '../../../src/extension/evaluate/inputHashes.ts';
import { createRecord } from '../../../src/runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../../src/runs/evaluationRecord.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';
import type { RequestParams } from '../../../src/protocol/requests.ts';

let root: string;
let memory: StampedHashes;
let identified: string[];
let allowed: boolean;
let trusted: boolean;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-hashes-'));
  await mkdir(path.join(root, 'model'));
  await writeFile(path.join(root, 'model/config.json'), '{}');
  await writeFile(path.join(root, 'model/model.safetensors'), 'weights');
  await writeFile(path.join(root, 'test.txt'), 'text');
  await writeFile(path.join(root, 'valid.txt'), 'calibration');
  memory = {};
  identified = [];
  allowed = true;
  trusted = true;
  // Written long enough ago for their looks to say all.
  settle();
});

/** As though all files had been written ten seconds ago: nobody can set the time of a change, so the clock goes on instead. */
function settle(): void {
  vi.spyOn(Date, 'now').mockReturnValue(performance.timeOrigin + performance.now() + 10_000);
}

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** As the worker would: the model's hash is that of its weights here. */
async function identify({ models, files }: RequestParams<'identify'>) {
  if (!allowed) return undefined;
  identified.push(...models, ...files);
  const each = async (file: string) => sha(await readFile(file, 'utf8'));
  return {
    models: await Promise.all(models.map((folder) => each(path.join(folder, 'model.safetensors')))),
    files: await Promise.all(files.map(each)),
  };
}

/** A new window: nothing is known but the memory. */
function open(): InputHashes {
  return new InputHashes({
    memory: { get: () => memory, set: (hashes) => (memory = hashes) },
    mayLook: () => trusted,
    identify,
    onChange: () => undefined,
    log: () => undefined,
  });
}

function record(): EvaluationRecord {
  const plan = samplePlan({
    model: path.join(root, 'model'),
    text: path.join(root, 'test.txt'),
    calibration: path.join(root, 'valid.txt'),
  });
  const provenance = {
    ...sampleResult().provenance,
    modelHash: sha('weights'),
    textHash: sha('text'),
    calibrationHash: sha('calibration'),
  };
  return createRecord(plan, sampleResult({ provenance }), {
    root,
    document: path.join(root, 'm.prune'),
    savedAt: new Date(0),
  });
}

async function look(hashes: InputHashes): Promise<string> {
  await hashes.look([record()], root);
  return hashes.freshness(record(), root);
}

describe('the inputs of a result', () => {
  it('are unknown at first, hashed once, and from then on recognised by their looks, in another window too', async () => {
    const hashes = open();
    expect(hashes.freshness(record(), root)).toBe('unknown');
    expect(await look(hashes)).toBe('same');
    expect(identified).toHaveLength(3);
    expect(await look(hashes)).toBe('same');
    expect(await look(open())).toBe('same');
    expect(identified).toHaveLength(3);
  });

  it('of an adapter are its base model’s files as well, and of a folder of the hub’s cache those of its snapshot', async () => {
    const commit = 'abc1'.repeat(10);
    const snapshot = path.join(root, 'models--ada--base', 'snapshots', commit);
    await mkdir(path.join(root, 'models--ada--base', 'refs'), { recursive: true });
    await writeFile(path.join(root, 'models--ada--base', 'refs', 'main'), commit);
    await mkdir(snapshot, { recursive: true });
    await rename(path.join(root, 'model', 'model.safetensors'), path.join(snapshot, 'model.safetensors'));
    await rm(path.join(root, 'model', 'config.json'));
    const adapter = JSON.stringify({ base_model_name_or_path: '../models--ada--base' });
    await writeFile(path.join(root, 'model', 'adapter_config.json'), adapter);
    settle();
    const hashes = open();
    const stamp = async () => hashes.stamp({ kind: 'model', path: path.join(root, 'model') });
    const before = await stamp();
    expect(before).toMatch(/adapter_config\.json.*model\.safetensors/);
    await writeFile(path.join(snapshot, 'model.safetensors'), 'weightS');
    settle();
    expect(await stamp()).not.toBe(before);
    expect(await hashes.stamp({ kind: 'model', path: path.join(root, 'models--ada--base') })).toMatch(/model\.safet/);
  });

  it.each<[string, string, string]>([
    ['the text', 'test.txt', 'texT'],
    ['the calibration text', 'valid.txt', 'calibratioN'],
    ['the weights', 'model/model.safetensors', 'weightS'],
  ])('%s changed, though its size is the same: changed; back again: the same', async (_, file, content) => {
    const hashes = open();
    await look(hashes);
    const before = await readFile(path.join(root, file));
    await writeFile(path.join(root, file), content);
    await utimes(path.join(root, file), 1e9, 1e9);
    expect(await look(hashes)).toBe('changed');
    await writeFile(path.join(root, file), before);
    await utimes(path.join(root, file), 1e9 + 1, 1e9 + 1);
    expect(await look(hashes)).toBe('same');
  });

  it('touched without a change (a fresh clone): hashed again, the same', async () => {
    await look(open());
    await utimes(path.join(root, 'test.txt'), 1e9, 1e9);
    expect(await look(open())).toBe('same');
    expect(identified.slice(3)).toEqual([path.join(root, 'test.txt')]);
  });

  it('rewritten with the times of before: changed', async () => {
    const file = path.join(root, 'test.txt');
    await utimes(file, 1e9, 1e9);
    const hashes = open();
    expect(await look(hashes)).toBe('same');
    await writeFile(file, 'texT');
    await utimes(file, 1e9, 1e9);
    expect(await look(hashes)).toBe('changed');
  });

  it('replaced by another file of the same size and times: changed', async () => {
    const file = path.join(root, 'model/model.safetensors');
    await utimes(file, 1e9, 1e9);
    const hashes = open();
    expect(await look(hashes)).toBe('same');
    await writeFile(`${file}.new`, 'weightS');
    await utimes(`${file}.new`, 1e9, 1e9);
    await rename(`${file}.new`, file);
    expect(await look(hashes)).toBe('changed');
  });

  it('written a moment ago: hashed again at the next look, since a second write could look the same', async () => {
    vi.restoreAllMocks();
    const hashes = open();
    expect(await look(hashes)).toBe('same');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await look(hashes)).toBe('same');
    expect(identified).toHaveLength(6);
    settle();
    await look(hashes);
    await look(hashes);
    expect(identified).toHaveLength(9);
  });

  it('a tokenizer_config.json that was not there: hashed again', async () => {
    const hashes = open();
    await look(hashes);
    await writeFile(path.join(root, 'model/tokenizer_config.json'), '{"add_bos_token": false}');
    settle();
    await look(hashes);
    expect(identified.slice(3)).toEqual([path.join(root, 'model')]);
  });

  it('gone: changed, and nothing is asked of the worker about them', async () => {
    const hashes = open();
    await look(hashes);
    await rm(path.join(root, 'model'), { recursive: true });
    await rm(path.join(root, 'test.txt'));
    expect(await look(hashes)).toBe('changed');
    expect(identified).toHaveLength(3);
  });

  it('where hashing is not allowed stay unknown, and are hashed once it is', async () => {
    allowed = false;
    const hashes = open();
    expect(await look(hashes)).toBe('unknown');
    allowed = true;
    expect(await look(hashes)).toBe('same');
  });

  it('are not even looked for in a workspace that is not trusted', async () => {
    const hashes = open();
    trusted = false;
    await rm(path.join(root, 'test.txt'));
    expect(await look(hashes)).toBe('unknown');
    expect(identified).toEqual([]);
    trusted = true;
    expect(await look(hashes)).toBe('changed');
  });

  it('that an evaluation has just read need no hashing', async () => {
    const hashes = open();
    const inputs = [
      [{ kind: 'model', path: path.join(root, 'model') }, sha('weights')],
      [{ kind: 'file', path: path.join(root, 'test.txt') }, sha('text')],
      [{ kind: 'file', path: path.join(root, 'valid.txt') }, sha('calibration')],
    ] as const;
    for (const [input, hash] of inputs) await hashes.learn(input, await hashes.stamp(input), hash);
    expect(hashes.freshness(record(), root)).toBe('same');
    expect(identified).toEqual([]);
  });

  it('that changed while an evaluation read them are hashed all the same', async () => {
    const hashes = open();
    await look(hashes);
    const input = { kind: 'file', path: path.join(root, 'test.txt') } as const;
    const stamp = await hashes.stamp(input);
    await writeFile(input.path, 'other text');
    await hashes.learn(input, stamp, sha('text'));
    expect(await look(hashes)).toBe('changed');
  });

  it('are looked at by several windows’ worth of calls at once without asking twice', async () => {
    const hashes = open();
    await Promise.all([look(hashes), look(hashes), look(hashes)]);
    expect(identified).toHaveLength(3);
  });
});
