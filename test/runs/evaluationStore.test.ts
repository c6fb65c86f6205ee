import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import type { TextPlan } from '../../src/experiment/planSchema.ts';
import { createRecord, parseRecord, plannedKey, recordKey, recordName } from '../../src/runs/evaluationRecord.ts';
import { EvaluationStore } from '../../src/runs/evaluationStore.ts';
import { samplePlan, sampleResult } from '../protocol/samples.ts';

let root: string;
let log: string[];
let store: EvaluationStore;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-store-'));
  log = [];
  store = new EvaluationStore(root, (line) => log.push(line));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const plan = (): TextPlan =>
  samplePlan({
    model: path.join(root, 'models/tiny'),
    text: path.join(root, '../elsewhere/test.txt'),
    calibration: path.join(root, 'valid.txt'),
  });

function record(changes: Parameters<typeof sampleResult>[0] = {}, second = 0) {
  const context = {
    root,
    document: path.join(root, 'metrics.prune'),
    savedAt: new Date(Date.UTC(2025, 0, 1, 0, 0, second)),
  };
  return createRecord(plan(), sampleResult(changes), context);
}

describe('what is kept', () => {
  it('is read back as it was, oldest first', async () => {
    const records = [record({ metric: 'b' }, 2), record({ metric: 'a' }, 3), record({ metric: 'c' }, 1)];
    for (const each of records) await store.save(each);
    expect(await store.load()).toEqual([records[2], records[0], records[1]]);
    expect(log).toEqual([]);
  });

  it('holds no absolute path, so that it means the same in another clone', async () => {
    const file = await store.save(
      record({ provenance: { ...sampleResult().provenance, model: path.join(root, 'models/tiny') } }),
    );
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(root);
    expect(text).toContain('"text": "../elsewhere/test.txt"');
    expect(text.endsWith('}\n')).toBe(true);
  });

  it('is replaced by the same evaluation and by no other', async () => {
    await store.save(record({}, 1));
    await store.save(record({ seconds: 9 }, 2));
    await store.save(record({ sparsity: { kind: 'n:m', keep: 2, of: 4 } }));
    await store.save(record({ fingerprint: 'e'.repeat(64) }));
    await store.save(record({ metric: '../../../etc/passwd' }));
    expect((await readdir(store.folder)).every((name) => /^[A-Za-z0-9_-]+\.json$/.test(name))).toBe(true);
    expect((await store.load()).map(({ result }) => result.seconds).sort()).toEqual([2.13, 2.13, 2.13, 9]);
  });

  it('has a name that a person can read', () => {
    expect(recordName(record())).toMatch(/^wanda-50pct-[0-9a-f]{12}\.json$/);
    expect(recordName(record({ sparsity: { kind: 'n:m', keep: 2, of: 4 } }))).toMatch(/^wanda-2of4-/);
  });

  it('leaves no temporary file, also when many are written at once', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, i) => store.save(record({ metric: `m${i % 10}` }))));
    expect(await readdir(store.folder)).toHaveLength(10);
    expect(await store.load()).toHaveLength(10);
  });
});

describe('the key of a plan finds its record', () => {
  const evaluation = samplePlan().evaluations[0]!;
  it.each<[string, (asked: TextPlan) => TextPlan, boolean]>([
    ['unchanged', (asked) => asked, true],
    ['another device', (asked) => ({ ...asked, settings: { ...asked.settings, device: 'webgpu', threads: 3 } }), true],
    ['another seed', (asked) => ({ ...asked, settings: { ...asked.settings, seed: 1 } }), false],
    ['another length', (asked) => ({ ...asked, settings: { ...asked.settings, length: 128 } }), false],
    ['another text', (asked) => ({ ...asked, text: path.join(root, 'other.txt') }), false],
    [
      'another calibration text',
      (asked) => samplePlan({ model: asked.model, text: asked.text, calibration: path.join(root, 'other.txt') }),
      false,
    ],
  ])('%s', (_, change, found) => {
    const changed = change(plan());
    expect(plannedKey(changed, evaluation, root) === recordKey(record())).toBe(found);
  });
  it('but not that of another expression or sparsity', () => {
    const key = recordKey(record());
    expect(plannedKey(plan(), { ...evaluation, expression: { kind: 'operand', name: 'W' } }, root)).not.toBe(key);
    expect(plannedKey(plan(), { ...evaluation, sparsity: { kind: 'unstructured', share: 0.6 } }, root)).not.toBe(key);
    expect(plannedKey(plan(), { ...evaluation, metric: 'renamed' }, root)).toBe(key);
  });
});

describe('what is no record is left aside with a word in the log', () => {
  it('a folder that is not there holds nothing, and nothing is said', async () => {
    expect(await store.load()).toEqual([]);
    expect(log).toEqual([]);
  });

  it('truncated at every byte', async () => {
    const good = await store.save(record());
    const text = await readFile(good, 'utf8');
    for (let end = 0; end < text.length - 2; end += 7) {
      await writeFile(path.join(store.folder, 'cut.json'), text.slice(0, end));
      expect(await store.load()).toHaveLength(1);
    }
    expect(log.length).toBeGreaterThan(100);
    expect(log[0]).toContain('cut.json');
  });

  it('4 000 flipped bytes: never a throw, never a record of the wrong form', () => {
    const bytes = Buffer.from(JSON.stringify(record(), undefined, 2));
    const rng = new Rng(5);
    let refused = 0;
    for (let i = 0; i < 4000; i++) {
      const copy = Buffer.from(bytes);
      copy[rng.integer(copy.length)]! ^= 1 << rng.integer(8);
      const parsed = parseRecord(copy.toString('utf8'));
      if (!parsed) refused++;
      else {
        expect(parsed.result.perplexity).toBeTypeOf('number');
        expect(parsed.result.provenance.modelHash).toMatch(/^[0-9a-f]{64}$/);
      }
    }
    expect(refused).toBeGreaterThan(2000);
  });

  it.each<[string, (folder: string) => Promise<unknown>]>([
    ['a larger file than any record', (folder) => writeFile(path.join(folder, 'large.json'), ' '.repeat(2 << 20))],
    ['JSON of another kind', (folder) => writeFile(path.join(folder, 'other.json'), '{"__proto__": {"result": 1}}')],
    ['deeply nested JSON', (folder) => writeFile(path.join(folder, 'deep.json'), '['.repeat(500_000))],
    ['binary', (folder) => writeFile(path.join(folder, 'binary.json'), Buffer.from([0xff, 0xfe, 0, 1]))],
  ])('%s', async (_, put) => {
    await store.save(record());
    await put(store.folder);
    expect(await store.load()).toHaveLength(1);
    expect(log).toHaveLength(1);
  });

  it.each<[string, (folder: string) => Promise<unknown>]>([
    ['a link that leaves the folder', (folder) => symlink('/etc/passwd', path.join(folder, 'link.json'))],
    ['a folder named like a record', (folder) => mkdir(path.join(folder, 'folder.json'))],
    ['an unfinished temporary file', (folder) => writeFile(path.join(folder, 'a.json.1.tmp'), '{')],
  ])('%s is not even opened', async (_, put) => {
    await store.save(record());
    await put(store.folder);
    expect(await store.load()).toHaveLength(1);
    expect(log).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('a folder that a repository has brought as a link', () => {
  it.each(['.espalier', '.espalier/evaluations'])('%s: nothing is read or written there', async (place) => {
    const outside = await mkdtemp(path.join(tmpdir(), 'espalier-outside-'));
    await new EvaluationStore(outside, () => undefined).save(record());
    const before = await readdir(path.join(outside, '.espalier/evaluations'));
    await mkdir(path.dirname(path.join(root, place)), { recursive: true });
    await symlink(path.join(outside, place), path.join(root, place));
    expect(await store.load()).toEqual([]);
    expect(log.join()).toContain(`${path.join(root, place)}, which is a link`);
    await expect(store.save(record({ metric: 'other' }))).rejects.toMatchObject({
      data: { code: 'io/write', remedy: expect.stringContaining('mount it there') as string },
    });
    expect(await readdir(path.join(outside, '.espalier/evaluations'))).toEqual(before);
    await rm(outside, { recursive: true });
  });
});

describe('where nothing can be written', () => {
  it('saving fails with a coded error that names the file, and what was there stays', async () => {
    await store.save(record());
    await rm(path.join(root, '.espalier'), { recursive: true });
    // A file where the folder should be: fails for every user, root too.
    await writeFile(path.join(root, '.espalier'), '');
    const error = await store.save(record()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EspalierError);
    expect((error as EspalierError).data).toMatchObject({
      code: 'io/write',
      file: expect.stringContaining('.espalier') as string,
    });
  });

  it.skipIf(process.getuid?.() === 0)('a read-only folder', async () => {
    await store.save(record());
    await chmod(store.folder, 0o555);
    await expect(store.save(record({ metric: 'other' }))).rejects.toMatchObject({ code: 'io/write' });
    await chmod(store.folder, 0o755);
    expect(await store.load()).toHaveLength(1);
  });
});
