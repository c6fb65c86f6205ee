import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import type { MetricEvent } from '../../src/search/metrics/events.ts';
import { Journal } from '../../src/runs/journal.ts';
import type { JournalFile } from '../../src/runs/journal.ts';
import { encodeLine, firstLink } from '../../src/runs/journalLine.ts';
import type { JournalLink, JournalOwner, JournalRecord } from '../../src/runs/journalLine.ts';
import { JournalReader } from '../../src/runs/journalReader.ts';
import { openRun } from '../../src/runs/runFolder.ts';
import { failureOf } from '../support/expectCoded.ts';
import { mutateBytes } from '../support/mutate.ts';

/** A run that an earlier state of this format has written: it must stay readable. */
const FIXTURE = path.join(import.meta.dirname, 'fixtures/run-2');

let folder: string;
let file: string;
let owner: JournalOwner;
/** The fixture's journal, and what it says. */
let bytes: Buffer;
let records: readonly JournalRecord[];
/** Where each of its lines begins. */
let begins: readonly number[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-journal-'));
  file = path.join(folder, 'journal.jsonl');
  bytes = await readFile(path.join(FIXTURE, 'journal.jsonl'));
  owner = (await openRun(FIXTURE)).record;
  records = (await read(path.join(FIXTURE, 'journal.jsonl'))).records;
  begins = [0, ...[...bytes.entries()].flatMap(([at, byte]) => (byte === 0x0a ? [at + 1] : []))].slice(0, -1);
});

afterAll(() => rm(folder, { recursive: true }));

async function read(from: string): Promise<{ records: JournalRecord[]; reader: JournalReader }> {
  const reader = new JournalReader(from, owner);
  const found: JournalRecord[] = [];
  for await (const portion of reader.more()) found.push(...portion);
  return { records: found, reader };
}

async function readBytes(contents: Uint8Array): Promise<{ records: JournalRecord[]; reader: JournalReader }> {
  await writeFile(file, contents);
  return read(file);
}

const open = (options: Partial<Parameters<typeof Journal.open>[2]> = {}) =>
  Journal.open(file, owner, { now: () => 1763804575000, ...options });

/** What the line after the first `count` of the fixture must continue. */
function linkBehind(count: number): JournalLink {
  return records.slice(0, count).reduce((link, record) => encodeLine(record, link).next, firstLink(owner));
}

const paused: MetricEvent = { kind: 'paused' };

describe('the format', () => {
  it('is the one that the fixture was written in', () => {
    expect(records).toHaveLength(begins.length);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, i) => i));
    const kinds = new Set(records.map(({ event }) => event.kind));
    const expected = ['opened', 'baseline', 'probed', 'measured', 'candidate', 'generation', 'finalist', 'finished'];
    expect([...kinds].sort()).toEqual([...expected].sort());
  });

  it('writes the fixture byte for byte', () => {
    let link = firstLink(owner);
    let text = '';
    for (const line of bytes.toString('utf8').split('\n').slice(0, -1)) {
      const encoded = encodeLine(JSON.parse(line) as JournalRecord, link);
      text += encoded.line;
      link = encoded.next;
    }
    expect(createHash('sha256').update(text).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('ties a journal to its run, and each line to the one before', async () => {
    expect((await readBytes(bytes)).records).toEqual(records);
    const other = new JournalReader(file, { ...owner, id: 'another-run' });
    for await (const portion of other.more()) expect(portion).toEqual([]);
    expect(other.damage?.line).toBe(1);
    // A line that is left out, though every other is as it was written.
    const without = Buffer.concat([bytes.subarray(0, begins[7]), bytes.subarray(begins[8])]);
    const { records: before, reader } = await readBytes(without);
    expect([before, reader.damage?.line]).toEqual([records.slice(0, 7), 8]);
  });
});

describe('the last record', () => {
  let last: number;
  /** A short journal, so that every byte can be tried. */
  let short: Buffer;
  let before: readonly JournalRecord[];
  beforeAll(() => {
    last = begins.at(-1)!;
    const { line } = encodeLine({ seq: 2, at: 1763804575000, event: paused }, linkBehind(2));
    short = Buffer.concat([bytes.subarray(0, begins[2]), Buffer.from(line)]);
    before = records.slice(0, 2);
  });

  it('is lost, and no other, wherever it is cut off', async () => {
    for (let cut = begins[2]!; cut < short.length; cut++) {
      const { records: found, reader } = await readBytes(short.subarray(0, cut));
      expect(found).toEqual(before);
      expect([reader.damage, reader.length]).toEqual([undefined, begins[2]]);
    }
    expect((await readBytes(short)).records).toHaveLength(3);
  });

  it('is told of, and no other is lost, whichever of its bits is flipped: somebody was told that it had been written', async () => {
    for (let at = begins[2]!; at < short.length; at++) {
      for (const bit of [0, 1, 3, 5, 7]) {
        const damaged = Buffer.from(short);
        damaged[at]! ^= 1 << bit;
        const { records: found, reader } = await readBytes(damaged);
        expect(found.length).toBe(2);
        expect([reader.damage?.line, reader.length]).toEqual([3, begins[2]]);
      }
    }
  });

  it('torn, is cut off before anything is appended', async () => {
    for (const cut of [last + 1, last + 40, bytes.length - 1]) {
      await writeFile(file, bytes.subarray(0, cut));
      const { journal, records: found } = await open();
      expect(found).toHaveLength(records.length - 1);
      await journal.append([paused]);
      await journal.close();
      const { records: after, reader } = await read(file);
      expect(reader.damage).toBeUndefined();
      expect(after.slice(0, -1)).toEqual(records.slice(0, -1));
      expect(after.at(-1)).toEqual({ seq: records.length - 1, at: 1763804575000, event: paused });
    }
  });
});

describe('damage before the last record', () => {
  it('is told with its line, and what stands before it is read', async () => {
    for (const line of [1, 2, 30, begins.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[begins[line - 1]! + 15]! ^= 4;
      const { records: found, reader } = await readBytes(damaged);
      expect(found).toEqual(records.slice(0, line - 1));
      expect(reader.damage).toMatchObject({ line });
      const error = await failureOf(() => open());
      expect(error.data).toMatchObject({ code: 'runs/damaged', file });
      expect(error.data.operation).toContain(`line ${line} `);
      expect(await readFile(file)).toEqual(damaged);
    }
  });

  it('can be cut off, with what stands behind it', async () => {
    const damaged = Buffer.from(bytes);
    damaged[begins[20]! + 15]! ^= 4;
    await writeFile(file, damaged);
    const { journal, records: found } = await open({ recover: true });
    expect(found).toEqual(records.slice(0, 20));
    await journal.append([paused]);
    await journal.close();
    expect((await read(file)).records).toHaveLength(21);
  });

  it('is told where a newer version has written what this one does not know', async () => {
    const { next } = encodeLine(records[0]!, firstLink(owner));
    const { line } = encodeLine({ seq: 1, at: 1, event: { kind: 'invented' } as unknown as MetricEvent }, next);
    const { records: found, reader } = await readBytes(
      Buffer.concat([bytes.subarray(0, begins[1]), Buffer.from(line)]),
    );
    expect(found).toHaveLength(1);
    const reason = expect.stringMatching(/does not know, written by a newer one \(.*invented/) as string;
    expect(reader.damage).toEqual({ kind: 'newer', line: 2, reason });
  });

  it('of any kind gives what stands before it, or less; never anything else, never a crash', async () => {
    const rng = new Rng(2);
    const contents = new Uint8Array(bytes.subarray(0, begins[12]));
    for (let round = 0; round < 1500; round++) {
      const mutated = mutateBytes(rng, contents);
      const { records: found, reader } = await readBytes(mutated);
      expect(found.map(({ seq, at }) => [seq, at])).toEqual(
        records.slice(0, found.length).map(({ seq, at }) => [seq, at]),
      );
      if (round % 50 === 0) expect(found).toEqual(records.slice(0, found.length));
      // Without a word no more is left out than a line that was cut off.
      if (!reader.damage) expect(mutated.subarray(reader.length)).not.toContain(0x0a);
      // What is left of the file is whole lines, as they were.
      expect(Buffer.compare(bytes.subarray(0, reader.length), Buffer.from(mutated.subarray(0, reader.length)))).toBe(0);
    }
  });

  it.each<[string, Buffer, line: number | undefined]>([
    ['nothing', Buffer.alloc(0), undefined],
    ['line feeds', Buffer.alloc(1000, 0x0a), 1],
    ['zeros', Buffer.alloc(1000), 1],
    ['one endless line', Buffer.alloc(3 << 20, 0x7b), 1],
    ['other JSON', Buffer.from('{"seq":0}\n[1,2]\nnull\n'), 1],
    ['a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x0a]), 1],
    ['prose', Buffer.from('The dog sat.'), 1],
  ])('%s', async (_, contents, line) => {
    const { records: found, reader } = await readBytes(contents);
    expect([found, reader.damage?.line]).toEqual([[], line]);
  });
});

describe('appending', () => {
  it('gives numbers without gaps, in the order of the calls, with few flushes', async () => {
    await rm(file, { force: true });
    let flushes = 0;
    const { journal } = await open({ openFile: async (name) => counting(await openFile(name), () => flushes++) });
    flushes = 0;
    const appended = await Promise.all(
      Array.from({ length: 100 }, (_, i) => journal.append(i % 3 === 0 ? [paused, paused] : [paused])),
    );
    await journal.close();
    expect(appended.flat().map(({ seq }) => seq)).toEqual(Array.from({ length: 134 }, (_, i) => i));
    expect(flushes).toBeLessThanOrEqual(3);
    expect((await read(file)).records).toEqual(appended.flat());
  });

  it('is acknowledged only when it is flushed', async () => {
    await rm(file, { force: true });
    const steps: string[] = [];
    const { journal } = await open({
      openFile: async (name) => {
        const handle = await openFile(name);
        return {
          ...handle,
          write: async (...parameters) => {
            const written = await handle.write(...parameters);
            steps.push('written');
            return written;
          },
          datasync: async () => {
            await handle.datasync();
            steps.push('flushed');
          },
        };
      },
    });
    steps.length = 0;
    await journal.append([paused]).then(() => steps.push('acknowledged'));
    expect(steps).toEqual(['written', 'flushed', 'acknowledged']);
    await journal.close();
  });

  it.each(['write', 'datasync'] as const)(
    'that fails in %s leaves nothing behind, and ends the journal',
    async (step) => {
      await rm(file, { force: true });
      let broken = false;
      const { journal } = await open({
        openFile: async (name) => {
          const handle = await openFile(name);
          return {
            ...handle,
            write: async (buffer, offset, length, position) => {
              if (!broken || step !== 'write') return handle.write(buffer, offset, length, position);
              await handle.write(buffer, offset, Math.floor(length / 2), position);
              throw new Error('ENOSPC: no space left on device');
            },
            datasync: () =>
              broken && step === 'datasync' ? Promise.reject(new Error('EIO: i/o error')) : handle.datasync(),
          };
        },
      });
      await journal.append([paused]);
      broken = true;
      const outcomes = await Promise.allSettled([
        journal.append([paused]),
        journal.append([paused]),
        journal.append([]),
      ]);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(EspalierError) as Error });
        expect((outcome as PromiseRejectedResult).reason).toMatchObject({ data: { code: 'io/write', file } });
      }
      broken = false;
      expect((await failureOf(() => journal.append([paused]))).code).toBe('io/write');
      await journal.close();
      expect((await read(file)).records).toHaveLength(1);
      expect((await readFile(file)).at(-1)).toBe(0x0a);
    },
  );

  it('where there is no folder, or something else in the place, says so', async () => {
    for (const place of [path.join(folder, 'nowhere', 'journal.jsonl'), folder]) {
      const error = await failureOf(() => Journal.open(place, owner, { now: () => 0 }));
      expect(error.data.code).toMatch(/^io\//);
      expect(error.data.file).toBe(place);
    }
  });
});

describe('following a journal', () => {
  it('gives what another appends, portion by portion, and waits for the rest of a line', async () => {
    await rm(file, { force: true });
    const follower = new JournalReader(file, owner);
    const seen: number[] = [];
    const look = async (): Promise<void> => {
      for await (const portion of follower.more()) seen.push(...portion.map(({ seq }) => seq));
    };
    await look();
    for (let cut = 0; cut <= bytes.length; cut += 997) {
      await writeFile(file, bytes.subarray(0, cut));
      await look();
      expect(seen).toEqual(records.slice(0, seen.length).map(({ seq }) => seq));
      expect(follower.damage).toBeUndefined();
    }
    await writeFile(file, bytes);
    await look();
    expect(seen).toHaveLength(records.length);
    await look();
    expect(seen).toHaveLength(records.length);
  });

  it('goes on where what was damaged has been mended', async () => {
    const damaged = Buffer.from(bytes);
    damaged[begins[10]! + 15]! ^= 4;
    await writeFile(file, damaged);
    const follower = new JournalReader(file, owner);
    const seen: number[] = [];
    for (const [contents, line] of [
      [damaged, 11],
      [bytes, undefined],
    ] as const) {
      await writeFile(file, contents);
      for await (const portion of follower.more()) seen.push(...portion.map(({ seq }) => seq));
      expect(follower.damage?.line).toBe(line);
    }
    expect(seen).toEqual(records.map(({ seq }) => seq));
  });

  it('goes on where a torn end was cut off and written anew', async () => {
    await writeFile(file, bytes.subarray(0, begins[10]! + 30));
    const follower = new JournalReader(file, owner);
    for await (const portion of follower.more()) expect(portion).toHaveLength(10);
    const { journal } = await open();
    await journal.append([paused]);
    await journal.close();
    for await (const portion of follower.more())
      expect(portion).toEqual([{ seq: 10, at: 1763804575000, event: paused }]);
    expect(follower.damage).toBeUndefined();
  });
});

async function openFile(name: string): Promise<JournalFile> {
  const { open: openHandle } = await import('node:fs/promises');
  const handle = await openHandle(name, 'r+').catch(() => openHandle(name, 'wx+'));
  return {
    write: (buffer, offset, length, position) => handle.write(buffer, offset, length, position),
    datasync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}

function counting(handle: JournalFile, count: () => void): JournalFile {
  return {
    ...handle,
    datasync: () => {
      count();
      return handle.datasync();
    },
  };
}
