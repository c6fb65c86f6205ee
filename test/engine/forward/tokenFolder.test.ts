import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { DEFAULT_ROWS } from '../../../src/experiment/corpusRows.ts';
import { sha256 } from '../../../src/engine/checkpoint/hashing.ts';
import { readTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { TokenCache } from '../../../src/engine/forward/tokenCache.ts';
import { TokenFolder, type TokensOf } from '../../../src/engine/forward/tokenFolder.ts';
import { mutateBytes } from '../../support/mutate.ts';

const root = mkdtempSync(join(tmpdir(), 'espalier-tokens-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

let cacheFolder: string;
let count = 0;
beforeEach(() => {
  cacheFolder = join(root, `${count++}`);
});

const OF: TokensOf = { tokenizer: 'a'.repeat(64), vocabulary: 1000, textHash: 'b'.repeat(64), rows: undefined };
const IDS = Int32Array.from({ length: 100 }, (_, i) => (i * 37) % 1000);
const COUNTS = { tokens: 100, words: 70, bytes: 400 };
const KNOWN = { counts: COUNTS, ids: IDS };

const entries = (): string[] =>
  readdirSync(join(cacheFolder, 'tokens')).map((name) => join(cacheFolder, 'tokens', name));

async function remembered(ids = IDS): Promise<TokenFolder> {
  const folder = new TokenFolder(cacheFolder);
  await folder.remember(OF, ids, COUNTS);
  return folder;
}

describe('tokens on the disk', () => {
  it('are found by whoever asks for the same text in the same tokens', async () => {
    expect(await new TokenFolder(cacheFolder).find(OF)).toBeUndefined();
    await remembered();
    expect(await new TokenFolder(cacheFolder).find(OF)).toEqual(KNOWN);
  });

  it.each<[string, Partial<TokensOf>]>([
    ['tokenizer', { tokenizer: 'c'.repeat(64) }],
    ['text', { textHash: 'c'.repeat(64) }],
    ['embedding', { vocabulary: 1001 }],
    ['way to take rows', { rows: { ...DEFAULT_ROWS, first: 3 } }],
  ])('are not those of another %s', async (_, other) => {
    const folder = await remembered();
    expect(await folder.find({ ...OF, ...other })).toBeUndefined();
  });

  it('are not those of an entry with another’s name', async () => {
    const folder = await remembered();
    const other = { ...OF, vocabulary: 1001 };
    const content = readFileSync(entries()[0]!);
    await folder.remember(other, IDS, COUNTS);
    for (const entry of entries()) writeFileSync(entry, content);
    expect([await folder.find(OF), await folder.find(other)]).toEqual([KNOWN, undefined]);
  });

  it('are as many as may be kept, beside the counts of all', async () => {
    const folder = new TokenFolder(cacheFolder, { longest: 30 });
    await folder.remember(OF, IDS, COUNTS);
    expect(await folder.find(OF)).toEqual({ counts: COUNTS, ids: IDS.subarray(0, 30) });
  });

  it('are left aside where anything of them is damaged, and written anew', async () => {
    const folder = await remembered();
    const [entry] = entries();
    // No Buffer, whose slices are no copies.
    const whole = new Uint8Array(readFileSync(entry!));
    const rng = new Rng(14);
    const damages = [
      ...Array.from({ length: 60 }, () => mutateBytes(rng, whole)),
      ...Array.from({ length: 40 }, () => whole.subarray(0, rng.integer(whole.length))),
      ...Array.from({ length: 40 }, (_, i) => withBit(whole, 512 + 10 * i)),
      Buffer.concat([whole, Buffer.alloc(4)]),
      Buffer.from('null'.padEnd(512)),
    ];
    for (const damaged of damages) {
      writeFileSync(entry!, damaged);
      const found = await folder.find(OF);
      // Blanks that fill the header up say nothing.
      if (found)
        expect({ found, ids: new Uint8Array(damaged.subarray(512)) }).toEqual({
          found: KNOWN,
          ids: whole.subarray(512),
        });
    }
    writeFileSync(entry!, withBit(whole, 700));
    expect(await folder.find(OF)).toBeUndefined();
    await folder.remember(OF, IDS, COUNTS);
    expect(await folder.find(OF)).toEqual(KNOWN);
  });

  it.each([-1, 1000])('are left aside where one is %d, which the embedding has no row for', async (id) => {
    expect(await (await remembered(Int32Array.of(1, id))).find(OF)).toBeUndefined();
    expect(await (await remembered(Int32Array.of(1, 999))).find(OF)).toBeDefined();
  });

  it.skipIf(process.platform === 'win32')('are not waited for where a pipe lies in their place', async () => {
    const folder = await remembered();
    const [entry] = entries();
    rmSync(entry!);
    execFileSync('mkfifo', [entry!]);
    expect(await folder.find(OF)).toBeUndefined();
  });

  it('are not kept where nothing can be written, and nobody minds', async () => {
    writeFileSync(cacheFolder, '');
    expect(await (await remembered()).find(OF)).toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('are nobody else’s to read', async () => {
    await remembered();
    expect(statSync(join(cacheFolder, 'tokens')).mode & 0o777).toBe(0o700);
  });

  it('are forgotten, those that were used longest ago first, where they are too many', async () => {
    const folder = new TokenFolder(cacheFolder, { limit: 3500 });
    const texts = ['0', '1', '2', '3'].map((digit) => ({ ...OF, textHash: digit.repeat(64) }));
    const remember = async (index: number): Promise<void> => {
      const before = new Set(index === 0 ? [] : entries());
      await folder.remember(texts[index]!, IDS, COUNTS);
      for (const entry of entries()) if (!before.has(entry)) utimesSync(entry, index, index);
    };
    for (const index of [0, 1]) await remember(index);
    // Used now: later than the others, whose times are the first seconds of 1970.
    expect(await folder.find(texts[0]!)).toBeDefined();
    for (const index of [2, 3]) await folder.remember(texts[index]!, IDS, COUNTS);
    const found = await Promise.all(texts.map(async (text) => (await folder.find(text)) !== undefined));
    expect(found).toEqual([true, false, true, true]);
    await new TokenFolder(cacheFolder, { limit: 1 }).remember(OF, IDS, COUNTS);
    expect(entries()).toHaveLength(1);
  });

  it('are whole whenever they are there, however many write and read at once', async () => {
    const folders = Array.from({ length: 8 }, () => new TokenFolder(cacheFolder));
    const work = folders.flatMap((folder) => [folder.remember(OF, IDS, COUNTS), folder.find(OF)]);
    const found = (await Promise.all(work)).filter((known) => known !== undefined);
    for (const known of found) expect(known).toEqual(KNOWN);
    expect(await folders[0]!.find(OF)).toEqual(KNOWN);
    expect(entries()).toHaveLength(1);
  });
});

describe('a text’s tokens', () => {
  const model = { folder: 'media/sample', vocabulary: 1536 };
  const text = 'Once upon a time there was a little dog. '.repeat(50);

  async function textOf(cache: TokenCache, name = 'text.txt') {
    return cache.text(model, { file: join(cacheFolder, name), rows: DEFAULT_ROWS });
  }

  async function keyOf(content: string): Promise<TokensOf> {
    const { identity } = await readTokenizer(model.folder);
    return { tokenizer: identity, vocabulary: model.vocabulary, textHash: sha256(content), rows: undefined };
  }

  beforeEach(() => {
    mkdirSync(cacheFolder);
    writeFileSync(join(cacheFolder, 'text.txt'), text);
    writeFileSync(join(cacheFolder, 'other.txt'), `${text}The end.`);
  });

  it('and how many there are come from the disk the next time', async () => {
    const first = await textOf(new TokenCache({ cacheFolder }));
    const [ids, counts] = [await first.ids(), await first.counts()];
    expect(counts).toEqual({ tokens: ids.length, words: text.split(/\s+/).length, bytes: text.length });
    const planted = ids.toReversed();
    const folder = new TokenFolder(cacheFolder);
    expect(await folder.find(await keyOf(text))).toEqual({ counts, ids });
    await folder.remember(await keyOf(text), planted, { ...counts, words: 3 });
    const second = await textOf(new TokenCache({ cacheFolder }));
    expect(await second.counts()).toEqual({ ...counts, words: 3 });
    expect(await second.first(7)).toEqual(planted.subarray(0, 7));
    expect(await second.ids()).toEqual(planted);
    // Without a cache folder, and of another text, they are made.
    expect(await (await textOf(new TokenCache())).ids()).toEqual(ids);
    const other = await textOf(new TokenCache({ cacheFolder }), 'other.txt');
    expect(await other.first(7)).toEqual(ids.subarray(0, 7));
  });

  it('are not written before the whole text is tokenised', async () => {
    const opened = await textOf(new TokenCache({ cacheFolder }));
    await opened.first(10);
    expect(await new TokenFolder(cacheFolder).find(await keyOf(text))).toBeUndefined();
    await opened.counts();
    expect(await new TokenFolder(cacheFolder).find(await keyOf(text))).toBeDefined();
  });

  it('are made where more are asked for than were kept; counts are not made again', async () => {
    const whole = await (await textOf(new TokenCache())).ids();
    const counts = { tokens: whole.length, words: 5, bytes: 6 };
    const planted = whole.toReversed();
    await new TokenFolder(cacheFolder, { longest: 20 }).remember(await keyOf(text), planted, counts);
    const opened = await textOf(new TokenCache({ cacheFolder }));
    expect(await opened.counts()).toEqual(counts);
    expect(await opened.first(20)).toEqual(planted.subarray(0, 20));
    expect(await opened.first(21)).toEqual(whole.subarray(0, 21));
    expect(await opened.ids()).toEqual(whole);
    expect(await opened.counts()).toEqual(counts);
  });
});

function withBit(bytes: Uint8Array, at: number): Uint8Array {
  const damaged = bytes.slice();
  damaged[at] = damaged[at]! ^ 1;
  return damaged;
}
