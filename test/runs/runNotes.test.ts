import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SearchPlan } from '../../src/search/kinds.ts';
import { createRun, openRun } from '../../src/runs/runFolder.ts';
import { NOTES_FILE, readNotes, writeNotes } from '../../src/runs/runNotes.ts';
import type { RunNotes } from '../../src/runs/runNotes.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import { differences, runTitles } from '../../src/runs/runTitles.ts';
import { sampleSearchPlan } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'espalier-notes-'))));
afterEach(() => rm(folder, { recursive: true }));

const FORMAT = 'espalier-notes-1';
const place = (): string => path.join(folder, NOTES_FILE);

describe('the name and the note of a run', () => {
  it('are kept beside the run, which stays as it was', async () => {
    const run = await createRun(sampleSearchPlan(), { root: folder, createdAt: new Date(), versions: {} });
    const before = readFileSync(path.join(run.folder, 'run.json'), 'utf8');
    await writeNotes(run.folder, { name: 'without gradients', note: 'G left out, to see what it is worth' });
    expect(readFileSync(path.join(run.folder, 'run.json'), 'utf8')).toBe(before);
    expect((await openRun(run.folder)).record.id).toBe(run.record.id);
    expect((await summariseRun(run.folder)).notes).toEqual({
      name: 'without gradients',
      note: 'G left out, to see what it is worth',
    });
  });

  it('nothing to say leaves no file', async () => {
    await writeNotes(folder, { name: 'first' });
    await writeNotes(folder, { name: '  ', note: '' });
    expect(existsSync(place())).toBe(false);
    expect(await readNotes(folder)).toEqual({});
  });

  it.each<[string, RunNotes, RunNotes]>([
    ['line breaks', { note: 'one\n\ntwo\tthree' }, { note: 'one two three' }],
    ['escapes of a terminal', { name: 'a\u001b[2Jb' }, { name: 'a [2Jb' }],
    ['marks that turn the direction', { name: 'gpj.\u202Eexe' }, { name: 'gpj.exe' }],
    [
      'markup, which stays text',
      { note: '![x](http://a.b/c) <img src=x>' },
      { note: '![x](http://a.b/c) <img src=x>' },
    ],
    ['other scripts', { name: 'schön 搜索' }, { name: 'schön 搜索' }],
  ])('are plain text: %s', async (_, notes, expected) => {
    await writeNotes(folder, notes);
    expect(await readNotes(folder)).toEqual(expected);
    // As others may have written it.
    await writeFile(place(), JSON.stringify({ format: FORMAT, ...notes }));
    expect(await readNotes(folder)).toEqual(expected);
  });

  it('that are too long are refused, and nothing is lost', async () => {
    await writeNotes(folder, { name: 'kept' });
    const error = await failureOf(() => writeNotes(folder, { name: 'x'.repeat(81) }));
    expect(error.data).toMatchObject({ code: 'settings/invalid', actual: '81 characters' });
    expect(await readNotes(folder)).toEqual({ name: 'kept' });
  });

  const hostile: [string, () => Promise<unknown>, RegExp][] = [
    ['no JSON', () => writeFile(place(), '{'), /no JSON/],
    ['another format', () => writeFile(place(), '{"format":"espalier-notes-9","name":"x"}'), /format/],
    ['a name that is no text', () => writeFile(place(), JSON.stringify({ format: FORMAT, name: { a: 1 } })), /format/],
    ['something beside', () => writeFile(place(), JSON.stringify({ format: FORMAT, command: 'x' })), /format/],
    [
      'a name without end',
      () => writeFile(place(), JSON.stringify({ format: FORMAT, name: 'x'.repeat(5000) })),
      /format/,
    ],
    ['a file without end', () => writeFile(place(), Buffer.alloc(1 << 20, 0x20)), /bytes/],
    ['a link', () => symlink('/etc/hostname', place()), /link/],
    ['a device', () => symlink('/dev/zero', place()), /link/],
    ['a pipe', () => Promise.resolve(spawnSync('mkfifo', [place()])), /pipe/],
    ['no UTF-8', () => writeFile(place(), Buffer.from([0x22, 0xff, 0x22])), /UTF-8/],
  ];
  it.each(hostile)('that somebody else has written hide no run: %s', async (_, write, problem) => {
    await write();
    const read = await readNotes(folder);
    expect(read.problem).toMatch(problem);
    expect(read.name ?? read.note).toBeUndefined();
    await writeNotes(folder, { name: 'mine' });
    expect(await readNotes(folder)).toEqual({ name: 'mine' });
    expect(readFileSync('/etc/hostname', 'utf8')).not.toContain('mine');
  });
});

describe('runs of one search are told apart', () => {
  const run = (id: string, plan: Partial<SearchPlan> = {}, notes: RunNotes = {}) => ({
    ...{ id, notes },
    plan: { ...sampleSearchPlan({ name: 'evolved' }), ...plan } as SearchPlan,
  });
  const { search, settings } = sampleSearchPlan();
  const titlesOf = (...runs: ReturnType<typeof run>[]): string[] => {
    const titles = runTitles(runs);
    return runs.map(({ id }) => [titles.get(id)!.title, ...titles.get(id)!.details].join(' · '));
  };

  it.each<[string, ReturnType<typeof run>[], string[]]>([
    ['one alone has the name of its search', [run('1')], ['evolved']],
    ['the same twice: by number, the oldest first', [run('2'), run('1')], ['evolved (2)', 'evolved (1)']],
    [
      'by what differs',
      [run('1'), run('2', { search: { ...search, seed: 7, population: 99 } })],
      [`evolved (1) · seed ${search.seed} · population ${search.population}`, 'evolved (2) · seed 7 · population 99'],
    ],
    [
      'by the name that somebody gave it',
      [run('1'), run('2', {}, { name: 'no G' })],
      ['evolved (1)', 'no G · evolved (2)'],
    ],
    ['others have their own numbers', [run('1'), run('2', { name: 'other' })], ['evolved', 'other']],
  ])('%s', (_, runs, expected) => {
    expect(titlesOf(...runs)).toEqual(expected);
  });

  it('processes and threads are no difference, and everything that decides is one', () => {
    const plan = sampleSearchPlan();
    const other = (changes: object) => ({ ...plan, ...changes }) as SearchPlan;
    const said = (changes: object): string => differences([plan, other(changes)])[1]!.join(', ');
    expect(said({ search: { ...search, workers: 9 }, settings: { ...settings, threads: 9 } })).toBe('');
    expect(said({ sparsity: { kind: 'n:m', keep: 2, of: 4 } })).toBe('sparsity 2:4');
    expect(said({ settings: { ...settings, seed: 5 } })).toBe('calibration seed 5');
    expect(said({ operands: ['W'] })).toBe('operands W');
    expect(said({ search: { ...search, seed: 7, survivors: [8, 2, 1] } })).toBe('seed 7, survivors [8, 2, 1]');
    expect(said({ text: `/a/${'very/long/'.repeat(9)}path.txt` })).toBe('text …/path.txt');
  });
});
