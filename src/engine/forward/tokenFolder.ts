import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { makeFolders } from '../../files/makeFolders.ts';
import { readBytes } from '../../files/readBytes.ts';
import { sweepTemporaries } from '../../files/temporary.ts';
import { writeWhole } from '../../files/writeWhole.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import { TOKENISING } from './tokenising.ts';

/** Which text, in whose tokens. */
export interface TokensOf {
  /** Of the tokenizer: `tokenizerIdentity`. */
  readonly tokenizer: string;
  /** Rows of the embedding. */
  readonly vocabulary: number;
  /** sha-256, hex, of the file. */
  readonly textHash: string;
  /** {@link DataSet.countingRows} */
  readonly rows: RowsSettings | undefined;
}

/** How much a whole text is. */
export interface TextCounts {
  readonly tokens: number;
  /** `countWords` */
  readonly words: number;
  /** In UTF-8. */
  readonly bytes: number;
}

/** What was once found out of a text. */
export interface KnownTokens {
  readonly counts: TextCounts;
  /** The first token ids; all of them, unless there are more than {@link LONGEST}. */
  readonly ids: Int32Array;
}

/** Ids that are kept of a text: 16 MiB. */
const LONGEST = 4 << 20;
/** Bytes of all texts; the one that was used last stays. */
const FOLDER_LIMIT = 256 << 20;

/**
 * Token ids of whole texts between runs, looked up by content. It can only save time: what is damaged, foreign or not writable in it is left
 * aside, and several processes may use it at once. Ids were checked against the embedding before they came here.
 */
export class TokenFolder {
  private readonly folder: string;
  private readonly longest: number;
  private readonly limit: number;

  /** @param cacheFolder the engine's; tokens lie in a folder of their own in it */
  constructor(cacheFolder: string, { longest = LONGEST, limit = FOLDER_LIMIT } = {}) {
    this.folder = path.join(cacheFolder, 'tokens');
    this.longest = longest;
    this.limit = limit;
  }

  /** Never throws. */
  async find(of: TokensOf): Promise<KnownTokens | undefined> {
    const key = keyOf(of);
    const file = this.fileOf(key);
    try {
      const known = parse(await readBytes(file, { maxBytes: HEADER + 4 * this.longest }), key, of.vocabulary);
      const now = new Date();
      if (known) await utimes(file, now, now);
      return known;
    } catch {
      return undefined;
    }
  }

  /**
   * Never throws: what cannot be remembered is made again.
   *
   * @param ids of the whole text
   */
  async remember(of: TokensOf, ids: Int32Array, { words, bytes }: TextCounts): Promise<void> {
    const key = keyOf(of);
    const first = ids.subarray(0, this.longest);
    const kept = Buffer.from(first.buffer, first.byteOffset, first.byteLength);
    const about = { key, tokens: ids.length, words, bytes };
    const header = JSON.stringify({ ...about, check: checkOf(about, kept) }).padEnd(HEADER);
    try {
      await makeFolders(path.dirname(this.folder));
      // Who may not read a text shall not read its tokens either.
      await mkdir(this.folder, { mode: 0o700 }).catch(() => undefined);
      await writeWhole(this.fileOf(key), Buffer.concat([Buffer.from(header), kept]));
      await this.tidy();
    } catch {
      // A full disk, a folder that may not be written to.
    }
  }

  private fileOf(key: string): string {
    return path.join(this.folder, key);
  }

  /** Removes what was used longest ago until the rest is within the limit, and what processes that are gone have left half written. */
  private async tidy(): Promise<void> {
    await sweepTemporaries(this.folder);
    const names = (await readdir(this.folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    const entries = await Promise.all(names.map((name) => sizeAndUse(path.join(this.folder, name))));
    entries.sort((a, b) => b.used - a.used);
    let total = 0;
    for (const [index, { file, size }] of entries.entries()) {
      total += size;
      if (index > 0 && total > this.limit) await rm(file, { force: true });
    }
  }
}

/** Bytes of what stands before the ids: JSON, filled up with spaces. */
const HEADER = 512;

function keyOf({ tokenizer, vocabulary, textHash, rows }: TokensOf): string {
  return sha256(JSON.stringify([TOKENISING, tokenizer, vocabulary, textHash, rows]));
}

type About = TextCounts & { readonly key: string };

function checkOf({ key, tokens, words, bytes }: About, ids: Uint8Array): string {
  return sha256(JSON.stringify([key, tokens, words, bytes, sha256(ids)]));
}

/** Of a file that is whole and about this very text. @throws SyntaxError */
function parse(data: Buffer<ArrayBuffer>, key: string, vocabulary: number): KnownTokens | undefined {
  const { check, ...about } = JSON.parse(data.toString('latin1', 0, HEADER)) as About & { readonly check: string };
  const kept = data.subarray(HEADER);
  if (about.key !== key || check !== checkOf(about, kept)) return undefined;
  const { tokens, words, bytes } = about;
  const ids = new Int32Array(data.buffer, data.byteOffset + HEADER, kept.length / 4);
  return ids.every((id) => id >= 0 && id < vocabulary) ? { counts: { tokens, words, bytes }, ids } : undefined;
}

async function sizeAndUse(file: string): Promise<{ file: string; size: number; used: number }> {
  const { size, mtimeMs } = await stat(file).catch(() => ({ size: 0, mtimeMs: 0 }));
  return { file, size, used: mtimeMs };
}
