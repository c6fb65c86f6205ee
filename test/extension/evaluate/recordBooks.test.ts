import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordBooks } from '../../../src/extension/evaluate/recordBooks.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';

let root: string;
let time: number;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-books-'));
  time = 0;
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function open(inWorkspace = true) {
  return new RecordBooks({
    rootOf: () => (inWorkspace ? root : undefined),
    now: () => new Date(1000 * ++time),
    log: () => undefined,
    onChange: () => undefined,
  });
}

const document = (name: string): string => path.join(root, 'metrics', name);
const metricsOf = (books: RecordBooks, name: string): string[] =>
  books.of(document(name)).map(({ result }) => result.metric);

describe('the evaluations of a workspace folder', () => {
  it('are there at once, by document, oldest first, and in the next window', async () => {
    const books = open();
    await books.add(document('a.prune'), samplePlan(), sampleResult({ metric: 'one' }));
    await books.add(document('b.prune'), samplePlan(), sampleResult({ metric: 'other' }));
    await books.add(document('a.prune'), samplePlan(), sampleResult({ metric: 'two' }));
    expect(metricsOf(books, 'a.prune')).toEqual(['one', 'two']);
    const next = open();
    expect(metricsOf(next, 'a.prune')).toEqual([]);
    await expect.poll(() => metricsOf(next, 'a.prune')).toEqual(['one', 'two']);
  });

  it('that another window writes are seen after reloading', async () => {
    const [here, there] = [open(), open()];
    expect(metricsOf(here, 'a.prune')).toEqual([]);
    await there.add(document('a.prune'), samplePlan(), sampleResult());
    await here.reload(root);
    expect(metricsOf(here, 'a.prune')).toEqual(['wanda']);
  });

  it('that cannot be written are told, shown, and not lost by reloading', async () => {
    await writeFile(path.join(root, '.espalier'), '');
    const books = open();
    await expect(books.add(document('a.prune'), samplePlan(), sampleResult())).rejects.toMatchObject({
      code: 'io/write',
    });
    await books.reload(root);
    expect(metricsOf(books, 'a.prune')).toEqual(['wanda']);
  });

  it('of a file outside of every folder lie beside that file', async () => {
    const books = open(false);
    await books.add(path.join(root, 'loose.prune'), samplePlan(), sampleResult());
    expect(await readdir(path.join(root, '.espalier/evaluations'))).toHaveLength(1);
  });
});
