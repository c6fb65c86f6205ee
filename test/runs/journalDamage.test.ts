import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runSearchOf } from '../../src/coordinator/coordinator.ts';
import { connectLanguageModel } from '../../src/llm/connect.ts';
import { Journal } from '../../src/runs/journal.ts';
import { encodeLine, firstLink } from '../../src/runs/journalLine.ts';
import type { JournalRecord } from '../../src/runs/journalLine.ts';
import { JournalReader } from '../../src/runs/journalReader.ts';
import { evaluationOfRun } from '../../src/runs/runEvaluation.ts';
import { createRun, JOURNAL_FILE, journalOf, openRun, RUNS_FOLDER } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { listRuns, summariseRun } from '../../src/runs/runSummary.ts';
import { sampleRatePlan, sampleSearchPlan } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';

const FIXTURE = path.join(import.meta.dirname, 'fixtures/run-1');
const AT = 1763804575000;

let root: string;
let run: RunFolder;
let file: string;
/** The fixture's journal, and what it says. */
let bytes: Buffer;
let records: readonly JournalRecord[];
/** Where each of its lines begins; the last entry is where it ends. */
let begins: readonly number[];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-damage-'));
  const folder = path.join(root, RUNS_FOLDER, 'run-1');
  await cp(FIXTURE, folder, { recursive: true });
  run = await openRun(folder);
  file = path.join(folder, JOURNAL_FILE);
  bytes = await readFile(file);
  records = (await read()).records;
  begins = [0, ...[...bytes.entries()].flatMap(([at, byte]) => (byte === 0x0a ? [at + 1] : []))];
});

beforeEach(async () => {
  for (const name of await readdir(run.folder))
    if (name.startsWith(`${JOURNAL_FILE}.`)) await rm(path.join(run.folder, name));
  await writeFile(file, bytes);
});

afterAll(() => rm(root, { recursive: true }));

async function read(): Promise<{ records: JournalRecord[]; reader: JournalReader }> {
  const reader = new JournalReader(file, run.record);
  const found: JournalRecord[] = [];
  for await (const portion of reader.more()) found.push(...portion);
  return { records: found, reader };
}

const openJournal = (recover = false): ReturnType<typeof Journal.open> =>
  Journal.open(file, run.record, { now: () => AT, recover });

const text = (): string => bytes.toString('latin1');
const line = (number: number): Buffer => bytes.subarray(begins[number - 1], begins[number]);
const last = (): number => begins.length - 1;

/** The journal with one of its lines, counted from 1, replaced. */
function withLine(number: number, change: (line: string) => string): Buffer {
  const [before, after] = [bytes.subarray(0, begins[number - 1]), bytes.subarray(begins[number])];
  return Buffer.concat([before, Buffer.from(change(line(number).toString('latin1')), 'latin1'), after]);
}

/** Changes the last digit of a line's check. */
const flipCheck = (each: string): string =>
  each.replace(/.("\}\n)$/, (end) => (end.startsWith('0') ? '1"}\n' : '0"}\n'));
const crlf = (): Buffer => Buffer.from(text().replaceAll('\n', '\r\n'), 'latin1');

describe('a journal that is not as it was written is told of with its line, and not touched', () => {
  it.each<[string, () => Buffer, line: () => number]>([
    ['one digit in the check of the last line but one', () => withLine(last() - 1, flipCheck), () => last() - 1],
    ['one digit in the check of the last line', () => withLine(last(), flipCheck), last],
    ['one digit in the check of the first line', () => withLine(1, flipCheck), () => 1],
    ['a letter in the last line', () => withLine(last(), (each) => each.replace('"at"', '"At"')), last],
    ['the line feed at its end', () => Buffer.from(text().replace(/\n$/, '*'), 'latin1'), last],
    ['a space at its end', () => Buffer.from(`${text()} `, 'latin1'), () => last() + 1],
    ['an empty line at its end', () => Buffer.from(`${text()}\n`, 'latin1'), () => last() + 1],
    ['a line that is there twice', () => withLine(last(), (each) => each + each), () => last() + 1],
    ['a line that is missing', () => withLine(7, () => ''), () => 7],
    [
      'two lines that changed places',
      () => Buffer.concat([bytes.subarray(0, begins[4]), line(6), line(5), bytes.subarray(begins[6])]),
      () => 5,
    ],
    ['lines without checks', () => Buffer.from(text().replaceAll(/,"check":"\w+"/g, ''), 'latin1'), () => 1],
    ['lines without line feeds', () => Buffer.from(text().replaceAll('\n', ''), 'latin1'), () => 1],
    [
      'two last lines without a line feed between them',
      () => withLine(last() - 1, (each) => each.trimEnd()),
      () => last() - 1,
    ],
    [
      'two last lines without line feeds',
      () =>
        Buffer.from(
          withLine(last() - 1, (each) => each.trimEnd())
            .toString('latin1')
            .trimEnd(),
          'latin1',
        ),
      () => last() - 1,
    ],
    ['lines that end with CR', () => Buffer.from(text().replaceAll('\n', '\r'), 'latin1'), () => 1],
    ['lines that end with zeros', () => Buffer.from(text().replaceAll('\n', '\0'), 'latin1'), () => 1],
    ['lines that end with CR LF', crlf, () => 1],
    ['a last line that ends with CR LF', () => withLine(last(), (each) => each.replace('\n', '\r\n')), last],
    ['prose', () => Buffer.from('These are notes.\nThey are long.\n'), () => 1],
    ['prose without a line feed', () => Buffer.from('These are notes.'), () => 1],
    ['JSON lines of something else', () => Buffer.from('{"text":"a"}\n{"text":"b"}\n'), () => 1],
    ['a byte order mark', () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]), () => 1],
    ['UTF-16', () => Buffer.from(`\ufeff${text()}`, 'utf16le'), () => 1],
    ['a conflict of git', () => withLine(9, (each) => `<<<<<<< HEAD\n${each}=======\n${each}>>>>>>> other\n`), () => 9],
    [
      'an LFS pointer',
      () => Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
      () => 1,
    ],
    ['zeros in its middle', () => Buffer.from(bytes).fill(0, begins[5], begins[8]), () => 6],
    [
      'zeros in its middle, from within a line to within another',
      () => Buffer.from(bytes).fill(0, begins[5]! + 20, begins[7]! + 20),
      () => 6,
    ],
    [
      'zeros, and something behind them',
      () => Buffer.concat([bytes, Buffer.alloc(100), Buffer.from('x')]),
      () => last() + 1,
    ],
  ])('%s', async (_, damage, at) => {
    const damaged = damage();
    await writeFile(file, damaged);
    const { reader } = await read();
    expect(reader.damage?.line).toBe(at());
    const error = await failureOf(() => openJournal());
    expect(error.data).toMatchObject({ code: 'runs/damaged', file });
    expect(error.data.operation).toContain(`line ${at()} of`);
    expect(error.data.remedy).toContain('--recover');
    let asked = 0;
    const spawn = (): never => {
      asked++;
      throw new Error('nobody is asked again');
    };
    const driven = await failureOf(() => runSearchOf(run, { spawn, signal: new AbortController().signal }));
    expect([driven.code, asked]).toEqual(['runs/damaged', 0]);
    expect(await readFile(file)).toEqual(damaged);
    // A list that looks at the end alone sees it here: the journal is short.
    const [listed] = await listRuns(root);
    expect(listed).toMatchObject({ id: 'run-1', damage: { code: 'runs/damaged', operation: error.data.operation } });
  });

  it('any byte of it, flipped in any bit', async () => {
    const short = bytes.subarray(0, begins[3]);
    for (let at = 0; at < short.length; at++) {
      const damaged = Buffer.from(short);
      damaged[at]! ^= 1 << (at % 8);
      await writeFile(file, damaged);
      const { reader } = await read();
      const of = begins.findIndex((begin) => at < begin);
      expect([at, reader.damage?.line, reader.length]).toEqual([at, of, begins[of - 1]]);
    }
  });

  it('whatever is cut out, put in or overwritten anywhere', async () => {
    const short = bytes.subarray(0, begins[8]);
    const places = fc.tuple(fc.nat(short.length), fc.nat(short.length), fc.uint8Array({ maxLength: 40 }));
    await fc.assert(
      fc.asyncProperty(places, async ([a, b, put]) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const damaged = Buffer.concat([short.subarray(0, from), put, short.subarray(to)]);
        await writeFile(file, damaged);
        const { records: found, reader } = await read();
        expect(found).toEqual(records.slice(0, found.length));
        expect(damaged.subarray(0, reader.length)).toEqual(short.subarray(0, reader.length));
        if (reader.damage) expect(reader.damage.line).toBe(found.length + 1);
        // Without a word nothing is left out but the beginning of one line, and zeros.
        else {
          const rest = damaged.subarray(reader.length);
          expect(rest).not.toContain(0x0a);
          const written = rest.includes(0) ? rest.subarray(0, rest.indexOf(0)) : rest;
          const begun = short.subarray(reader.length, reader.length + 8);
          expect(written.subarray(0, 8)).toEqual(begun.subarray(0, written.length));
        }
      }),
      { numRuns: 800, seed: 9 },
    );
  });
});

describe('a write that was cut off', () => {
  it('loses at most its own line, wherever it ended, and whatever zeros a file system left behind it', async () => {
    const short = bytes.subarray(0, begins[3]);
    for (let cut = 0; cut <= short.length; cut++) {
      for (const zeros of [0, 512]) {
        await writeFile(file, Buffer.concat([short.subarray(0, cut), Buffer.alloc(zeros)]));
        const { records: found, reader } = await read();
        const whole = begins.filter((begin) => begin > 0 && begin <= cut).length;
        // Where nothing but zeros is left, it was not one write that was cut off.
        const isWiped = cut === 0 && zeros > 0;
        expect([cut, found.length, reader.damage?.line]).toEqual([cut, whole, isWiped ? 1 : undefined]);
      }
    }
  });

  it('is cut off before anything is appended', async () => {
    await writeFile(file, Buffer.concat([bytes.subarray(0, begins[9]! + 50), Buffer.alloc(3000)]));
    const { journal } = await openJournal();
    await journal.append([{ kind: 'paused' }]);
    await journal.close();
    const { records: found, reader } = await read();
    expect([found.length, reader.damage, found.at(-1)!.event]).toEqual([10, undefined, { kind: 'paused' }]);
    expect((await readdir(run.folder)).filter((name) => name.includes('damaged'))).toEqual([]);
  });
});

describe('--recover', () => {
  it('goes on from what stands before the damage, and keeps the journal as it was beside', async () => {
    const damaged = withLine(20, flipCheck);
    await writeFile(file, damaged);
    const kept: string[] = [];
    for (let time = 0; time < 2; time++) {
      await writeFile(file, damaged);
      const { journal, records: found } = await Journal.open(file, run.record, {
        now: () => AT,
        recover: true,
        onRecovered: (aside) => kept.push(aside),
      });
      await journal.append([{ kind: 'paused' }]);
      await journal.close();
      expect(found).toEqual(records.slice(0, 19));
    }
    expect((await read()).records).toHaveLength(20);
    expect(new Set(kept).size).toBe(2);
    for (const aside of kept) {
      expect(path.basename(aside)).toMatch(/^journal\.jsonl\.damaged-20251122-094255-[0-9a-f]{6}$/);
      expect(await readFile(aside)).toEqual(damaged);
    }
  });

  it('leaves a journal alone that is whole, or was only cut off', async () => {
    for (const contents of [bytes, bytes.subarray(0, begins[5]! + 9)]) {
      await writeFile(file, contents);
      await (await openJournal(true)).journal.close();
      expect(await readdir(run.folder)).toEqual([JOURNAL_FILE, 'run.json']);
    }
  });

  it('gives line ends back where these are all that was changed: nothing is lost', async () => {
    await writeFile(file, crlf());
    const { journal, records: found } = await openJournal(true);
    await journal.close();
    expect(found).toEqual(records);
    expect(await readFile(file)).toEqual(bytes);
    const [aside] = (await readdir(run.folder)).filter((name) => name.includes('damaged'));
    expect(await readFile(path.join(run.folder, aside!))).toEqual(crlf());
  });

  it('gives line ends back up to other damage', async () => {
    await writeFile(file, Buffer.from(withLine(20, flipCheck).toString('latin1').replaceAll('\n', '\r\n'), 'latin1'));
    expect((await read()).reader.damage).toMatchObject({ kind: 'changed', line: 20 });
    await (await openJournal(true)).journal.close();
    expect(await readFile(file)).toEqual(bytes.subarray(0, begins[19]));
  });
});

describe('a clone with core.autocrlf', () => {
  const git = (folder: string, ...words: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...words], {
      cwd: folder,
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString();

  async function cloned(prepare: (repository: string) => Promise<unknown>): Promise<{ from: string; clone: string }> {
    const from = await mkdtemp(path.join(root, 'repository-'));
    const begun = await createRun(sampleSearchPlan(), { root: from, createdAt: new Date(AT), versions: {} });
    let link = firstLink(begun.record);
    let journal = '';
    for (const record of records) {
      const { line: next, next: following } = encodeLine(record, link);
      [journal, link] = [journal + next, following];
    }
    await writeFile(path.join(begun.folder, JOURNAL_FILE), journal);
    await prepare(from);
    git(from, 'init', '--quiet');
    git(from, 'add', '--all');
    git(from, 'commit', '--quiet', '--message', 'A run');
    const clone = `${from}-clone`;
    git(root, '-c', 'core.autocrlf=true', 'clone', '--quiet', from, clone);
    return { from, clone };
  }

  it.each<[string, (repository: string) => Promise<unknown>]>([
    ['', () => Promise.resolve()],
    [
      ', whatever the repository says of text',
      (repository) => writeFile(path.join(repository, '.gitattributes'), '* text=auto eol=crlf\n'),
    ],
  ])('leaves a run as it is, byte for byte%s', async (_, prepare) => {
    const { from, clone } = await cloned(prepare);
    const [listed] = await listRuns(clone);
    for (const name of await readdir(listed!.folder)) {
      const copy = await readFile(path.join(listed!.folder, name));
      expect(copy).toEqual(await readFile(path.join(from, RUNS_FOLDER, listed!.id, name)));
    }
    expect(listed).toMatchObject({ state: 'finished', damage: undefined });
  });

  it('of a run from before: all of it is read, it is told what happened, and nothing is lost', async () => {
    const { from, clone } = await cloned((repository) => rm(path.join(repository, RUNS_FOLDER, '.gitattributes')));
    const [listed] = await listRuns(clone);
    expect(listed).toMatchObject({
      state: 'finished',
      best: { id: 8 },
      damage: {
        code: 'runs/damaged',
        actual: expect.stringContaining('CR LF') as string,
        remedy: expect.stringContaining('Nothing is lost') as string,
      },
    });
    const copy = await openRun(listed!.folder);
    const found: JournalRecord[] = [];
    for await (const portion of journalOf(copy).more()) found.push(...portion);
    expect(found).toEqual(records);
    expect((await evaluationOfRun(copy)).evaluations).toHaveLength(1);
    const name = path.join(listed!.folder, JOURNAL_FILE);
    expect((await failureOf(() => Journal.open(name, copy.record, { now: () => AT }))).code).toBe('runs/damaged');
    await (await Journal.open(name, copy.record, { now: () => AT, recover: true })).journal.close();
    expect(await readFile(name)).toEqual(await readFile(path.join(from, RUNS_FOLDER, listed!.id, JOURNAL_FILE)));
  });

  it('a new run protects those of before, and leaves alone what somebody has written there', async () => {
    const at = await mkdtemp(path.join(root, 'older-'));
    const begin = (): Promise<RunFolder> =>
      createRun(sampleSearchPlan(), { root: at, createdAt: new Date(AT), versions: {} });
    const attributes = path.join(at, RUNS_FOLDER, '.gitattributes');
    await begin();
    await rm(attributes);
    await begin();
    expect(await readFile(attributes, 'utf8')).toBe('* -text\n*.jsonl -merge\n');
    await writeFile(attributes, 'mine\n');
    await begin();
    expect(await readFile(attributes, 'utf8')).toBe('mine\n');
  });
});

describe('what needs all of a journal is refused where it is damaged', () => {
  it('the best of a run, but not a candidate that stands before the damage', async () => {
    await writeFile(file, withLine(last() - 1, flipCheck));
    expect((await failureOf(() => evaluationOfRun(run))).data).toMatchObject({ code: 'runs/damaged', file });
    const candidate = records.find(({ event }) => event.kind === 'candidate')!.event as { id: number };
    expect((await evaluationOfRun(run, candidate.id)).evaluations).toHaveLength(1);
  });

  it('the replies of a recorded run', async () => {
    await writeFile(file, withLine(last(), flipCheck));
    const { llm } = sampleRatePlan();
    const replay = (): Promise<unknown> =>
      connectLanguageModel(
        { ...llm, provider: 'replay', replay: 'run-1' },
        {},
        { root, answered: [], timer: { now: () => 0, sleep: () => Promise.resolve() } as never },
      );
    expect((await failureOf(replay)).code).toBe('runs/damaged');
    await writeFile(file, bytes);
    await replay();
  });
});

it('a damaged run is listed with what stands before the damage', async () => {
  await writeFile(file, withLine(last(), flipCheck));
  expect(await summariseRun(run.folder)).toMatchObject({ state: 'damaged', generation: 1 });
  await mkdir(path.join(root, RUNS_FOLDER, 'empty'));
  expect(await listRuns(root)).toMatchObject([{ id: 'run-1' }, { id: 'empty', error: { code: 'runs/not-found' } }]);
  await rm(path.join(root, RUNS_FOLDER, 'empty'), { recursive: true });
});
