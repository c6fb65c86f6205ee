import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hashFile } from '../../../src/engine/checkpoint/hashing.ts';
import { Rng } from '../../../src/base/rng.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { mutateBytes } from '../../support/mutate.ts';
import { replaceFile } from '../../support/replaceFile.ts';

const root = mkdtempSync(path.join(tmpdir(), 'espalier-hash-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

let file: string;
let cache: string;
let count = 0;
beforeEach(() => {
  const folder = path.join(root, `${count++}`);
  mkdirSync(folder);
  file = path.join(folder, 'file');
  cache = path.join(folder, 'cache', 'hashes');
  writeFileSync(file, 'content');
  // What was written a moment ago is not remembered; to the hashes it was a minute ago.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const entries = (): string[] => readdirSync(cache);

/** Puts another hash where the right one was: only a cache that is asked can give it back. */
function plantHash(planted: string): void {
  const entry = path.join(cache, entries()[0]!);
  const { key } = JSON.parse(readFileSync(entry, 'utf8')) as { key: string };
  replaceFile(entry, JSON.stringify({ key, sha256: planted, check: sha256(key + planted) }));
}

describe('hashing a file', () => {
  it('gives its sha-256, with a cache or without', async () => {
    expect(await hashFile(file)).toBe(sha256('content'));
    expect(await hashFile(file, cache)).toBe(sha256('content'));
    expect(await hashFile(file, cache)).toBe(sha256('content'));
    const large = 'x'.repeat(3_000_001);
    replaceFile(file, large);
    expect(await hashFile(file, cache)).toBe(sha256(large));
  });

  it('asks the cache about a file that has not changed, also through a link', async () => {
    await hashFile(file, cache);
    const planted = sha256('planted');
    plantHash(planted);
    expect(await hashFile(file, cache)).toBe(planted);
    const link = path.join(root, `link${count}`);
    symlinkSync(file, link);
    expect(await hashFile(link, cache)).toBe(planted);
    expect(entries()).toHaveLength(1);
  });

  it('does not ask about a file that has changed, be it only in its time', async () => {
    await hashFile(file, cache);
    plantHash(sha256('planted'));
    utimesSync(file, 1, 1);
    expect(await hashFile(file, cache)).toBe(sha256('content'));
    replaceFile(file, 'CONTENT');
    expect(await hashFile(file, cache)).toBe(sha256('CONTENT'));
  });

  it('of the same length under a modification time that was set back is another hash', async () => {
    const { atime, mtime } = statSync(file);
    await hashFile(file, cache);
    // The change time counts in ticks of up to 10 ms.
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(file, 'CONTENT');
    utimesSync(file, atime, mtime);
    expect(await hashFile(file, cache)).toBe(sha256('CONTENT'));
  });

  it('of a file that was written to a moment ago is not remembered: a second write could look the same', async () => {
    vi.useRealTimers();
    expect(await hashFile(file, cache)).toBe(sha256('content'));
    expect(existsSync(cache)).toBe(false);
  });

  it('of a file that is written to meanwhile is refused', async () => {
    const large = Buffer.alloc(64 << 20);
    writeFileSync(file, large);
    const writing = setInterval(() => {
      appendFileSync(file, 'x');
    }, 1);
    const failure = await failureOf(() => hashFile(file, cache)).finally(() => {
      clearInterval(writing);
    });
    expect(failure.message).toMatch(/written to meanwhile/);
  });

  it('leaves damaged entries aside and mends them, 300 times', async () => {
    await hashFile(file, cache);
    const entry = path.join(cache, entries()[0]!);
    const whole = new Uint8Array(readFileSync(entry));
    const rng = new Rng(50);
    for (let i = 0; i < 300; i++) {
      replaceFile(entry, mutateBytes(rng, whole));
      const hash = await hashFile(file, cache);
      if (hash !== sha256('content')) expect(hash).toBe(sha256('content'));
    }
    expect(Buffer.compare(readFileSync(entry), whole)).toBe(0);
    expect(entries()).toHaveLength(1);
  });

  it('works where the cache cannot be written', async () => {
    const blocked = path.join(file, 'below', 'a', 'file');
    expect(await hashFile(file, blocked)).toBe(sha256('content'));
    mkdirSync(cache, { recursive: true });
    chmodSync(cache, 0o500);
    expect(await hashFile(file, cache)).toBe(sha256('content'));
    chmodSync(cache, 0o700);
  });

  it('says what is wrong with a file, and stops when asked to', async () => {
    expect(await failureOf(() => hashFile(`${file}.x`, cache))).toMatchObject({
      code: 'io/read',
      data: { file: `${file}.x` },
    });
    expect(await failureOf(() => hashFile(root))).toMatchObject({ code: 'io/read' });
    expect(await failureOf(() => hashFile(file, cache, AbortSignal.abort()))).toMatchObject({ code: 'cancelled' });
  });
});
