import type { FileHandle } from 'node:fs/promises';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { FileProblem, fileProblem } from '../../files/fileProblem.ts';
import { sameVersion, untilChangesShow, versionOf } from '../../files/fileVersion.ts';
import type { FileVersion } from '../../files/fileVersion.ts';
import { readMissingPath } from '../../files/missingPath.ts';
import { openToRead } from '../../files/openRegular.ts';
import { readBytes } from '../../files/readBytes.ts';
import { hashVersion, sha256 } from '../checkpoint/hashing.ts';
import { corpusError } from './corpusError.ts';

export interface OpenHooks {
  /** Where hashes of large files are kept. */
  readonly cacheFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes up to which a file is read at once. */
const SMALL = 64 << 20;
/** Bytes read at a time. */
const PORTION = 1 << 20;

/** A file of a data set: a small one lies in memory, of others what is read is checked to be what was hashed. */
export class DataFile {
  readonly file: string;
  readonly size: number;
  private readonly content: Uint8Array | Opened;

  private constructor(file: string, size: number, content: Uint8Array | Opened) {
    this.file = file;
    this.size = size;
    this.content = content;
  }

  /** @throws EspalierError `corpus/not-found`, `cancelled` */
  static async open(file: string, signal?: AbortSignal): Promise<DataFile> {
    try {
      const opened = await open(file);
      if (Number(opened.size) > SMALL) return new DataFile(file, Number(opened.size), opened);
      await opened.handle.close();
      const bytes = await readBytes(file, { maxBytes: SMALL, signal });
      return new DataFile(file, bytes.length, bytes);
    } catch (thrown) {
      throw thrown instanceof EspalierError ? thrown : await notReadable(file, thrown);
    }
  }

  /** sha-256, hex, of its bytes. @throws EspalierError `corpus/not-found`, `io/read`, `cancelled` */
  async hash({ cacheFolder, signal }: OpenHooks): Promise<string> {
    if (this.content instanceof Uint8Array) return sha256(this.content);
    await untilChangesShow(this.content.version);
    const { hash, version } = await hashVersion(this.file, cacheFolder, signal);
    if (sameVersion(version, this.content.version)) return hash;
    throw await notReadable(this.file, changedProblem());
  }

  /** `length` bytes from a position on, or as many as there are. @throws EspalierError `corpus/not-found` */
  async read(position: number, length: number): Promise<Uint8Array> {
    const count = Math.max(0, Math.min(length, this.size - position));
    if (this.content instanceof Uint8Array) return this.content.subarray(position, position + count);
    const bytes = Buffer.allocUnsafeSlow(count);
    try {
      for (let at = 0; at < count;) {
        const { bytesRead } = await this.content.handle.read(bytes, at, count - at, position + at);
        if (bytesRead === 0) throw new FileProblem('changed', 'one that ends before it did when it was opened');
        at += bytesRead;
      }
      return bytes;
    } catch (thrown) {
      throw await notReadable(this.file, thrown);
    }
  }

  /** All of it, in portions. @throws EspalierError `corpus/not-found`, `cancelled` */
  async *chunks(signal?: AbortSignal, onProgress?: (done: number, total: number) => void): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < this.size; at += PORTION) {
      throwIfCancelled(signal, `reading ${this.file}`);
      onProgress?.(at, this.size);
      yield this.read(at, PORTION);
    }
  }

  /** Called when it has been read. @throws EspalierError `corpus/not-found` where it is not what was identified any more */
  async checkUnchanged(): Promise<void> {
    if (this.content instanceof Uint8Array) return;
    const now = versionOf(await this.content.handle.stat({ bigint: true }));
    if (!sameVersion(now, this.content.version)) throw await notReadable(this.file, changedProblem());
  }

  async close(): Promise<void> {
    if (!(this.content instanceof Uint8Array)) await this.content.handle.close();
  }
}

interface Opened {
  readonly handle: FileHandle;
  readonly version: FileVersion;
  readonly size: bigint;
}

async function open(file: string): Promise<Opened> {
  const handle = await openToRead(file);
  try {
    const found = await handle.stat({ bigint: true });
    return { handle, version: versionOf(found), size: found.size };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

function changedProblem(): FileProblem {
  return new FileProblem('changed', 'one that was written to meanwhile');
}

async function notReadable(file: string, thrown: unknown): Promise<EspalierError> {
  const { kind, message } = fileProblem(thrown);
  const meant = kind === 'missing' ? await readMissingPath(file) : undefined;
  const { actual, remedy } = meant ?? { actual: message, remedy: 'Check the path.' };
  return corpusError('corpus/not-found', file, 'a readable text file', actual, remedy);
}
