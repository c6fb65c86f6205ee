import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { rm } from 'node:fs/promises';
import { openToUpdate } from '../files/openRegular.ts';
import { ask, Transient, withTries } from './hubClient.ts';
import type { HubClient, Reply } from './hubClient.ts';
import { badReplyError, hubError } from './hubErrors.ts';
import type { IncompleteFile } from './incompleteFile.ts';

/** A file of a repository, as its listing has it. */
export interface HubFileEntry {
  /** In the repository. */
  readonly path: string;
  readonly bytes: number;
  /** What the blob is called: the sha-256 of a file in LFS, else Git's sha-1 of it. */
  readonly etag: string;
  readonly isLfs: boolean;
}

/** Bytes read at a time of what is there already. */
const PORTION = 4 << 20;

/**
 * Fetches a file to its end, from where an earlier try has come to, and checks it against its hash.
 *
 * @param onBytes is told how much of the file there is
 * @throws EspalierError `hub/checksum`, and then nothing of it is kept; others as {@link ask}, and then what has come is kept
 */
export async function fetchBlob(
  client: HubClient,
  address: string,
  entry: HubFileEntry,
  incomplete: IncompleteFile,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const file = await openToUpdate(incomplete.path, { links: 'refuse' });
  try {
    const writer = new BlobWriter(file, entry, onBytes);
    await writer.recall(client.signal);
    // What an earlier process left may have been damaged with the machine: then it is fetched anew, once.
    const hadPart = writer.at > 0;
    await fetchRest(client, address, entry, writer);
    if (!writer.isRight() && hadPart) {
      await writer.startOver();
      await fetchRest(client, address, entry, writer);
    }
    if (!writer.isRight()) throw checksumError(client, entry);
    await file.sync();
  } catch (thrown) {
    if (isWrong(thrown)) await rm(incomplete.path, { force: true });
    throw thrown;
  } finally {
    await file.close();
  }
}

/** Whether what has come is of no use to another try. */
function isWrong(thrown: unknown): boolean {
  const { code } = thrown as { readonly code?: unknown };
  return code === 'hub/checksum' || code === 'hub/bad-reply';
}

async function fetchRest(client: HubClient, address: string, entry: HubFileEntry, writer: BlobWriter): Promise<void> {
  // The strong name that the host of the file gave it: what goes on has to be the same bytes.
  let version: string | undefined;
  let before = writer.at;
  const hasGone = (): boolean => {
    const gone = writer.at > before;
    before = writer.at;
    return gone;
  };
  await withTries(
    client,
    async () => {
      while (writer.at < entry.bytes) {
        const reply = await ask(client, address, rangeFrom(writer.at, version), 'follow');
        try {
          if (!(await isContinued(client, reply, entry, writer))) continue;
          const etag = reply.headers.get('etag');
          version = etag?.startsWith('"') === true ? etag : undefined;
          for await (const bytes of reply.bytes()) await writer.write(client, bytes);
        } finally {
          reply.close();
        }
        if (writer.at < entry.bytes) throw cutShort(client, entry, writer.at);
      }
    },
    hasGone,
  );
}

function rangeFrom(at: number, version: string | undefined): Readonly<Record<string, string>> {
  if (at === 0) return {};
  return { range: `bytes=${at}-`, ...(version !== undefined && { 'if-range': version }) };
}

/**
 * Whether the bytes of a reply go on where the file ends; a whole file in their place begins it anew.
 *
 * @returns false where it has to be asked again from the beginning
 */
async function isContinued(client: HubClient, reply: Reply, entry: HubFileEntry, writer: BlobWriter): Promise<boolean> {
  const { status, headers } = reply;
  if (status === 416) {
    if (writer.at === 0) throw badReplyError(client, `${entry.bytes} bytes of ${entry.path}`, '416, no such range');
    await writer.startOver();
    return false;
  }
  if (status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(from) !== writer.at || (total !== '*' && Number(total) !== entry.bytes)) {
      throw badReplyError(
        client,
        `bytes ${writer.at}- of ${entry.bytes} of ${entry.path}`,
        headers.get('content-range') ?? 'a part that does not say which',
      );
    }
  } else if (writer.at > 0) await writer.startOver();
  const length = headers.get('content-length');
  const rest = entry.bytes - writer.at;
  if (length !== null && Number(length) !== rest) {
    throw badReplyError(client, `${rest} bytes of ${entry.path}`, `${length} bytes`);
  }
  return true;
}

/** Appends to a file, and knows the hash of all that is in it. */
class BlobWriter {
  private readonly file: FileHandle;
  private readonly entry: HubFileEntry;
  private readonly onBytes: (bytes: number) => void;
  private hash: Hash;
  at = 0;

  constructor(file: FileHandle, entry: HubFileEntry, onBytes: (bytes: number) => void) {
    this.file = file;
    this.entry = entry;
    this.onBytes = onBytes;
    this.hash = newHash(entry);
  }

  /** Reads what is there. More than the file can have is cut off. */
  async recall(signal: AbortSignal | undefined): Promise<void> {
    const { size } = await this.file.stat();
    if (size > this.entry.bytes) return this.startOver();
    const buffer = Buffer.allocUnsafeSlow(Math.min(PORTION, Math.max(size, 1)));
    while (this.at < size) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.file.read(buffer, 0, Math.min(PORTION, size - this.at), this.at);
      if (bytesRead === 0) break;
      this.hash.update(buffer.subarray(0, bytesRead));
      this.at += bytesRead;
    }
    this.onBytes(this.at);
  }

  async startOver(): Promise<void> {
    await this.file.truncate(0);
    this.at = 0;
    this.hash = newHash(this.entry);
    this.onBytes(0);
  }

  async write(client: HubClient, bytes: Uint8Array): Promise<void> {
    if (this.at + bytes.length > this.entry.bytes) {
      throw badReplyError(client, `${this.entry.bytes} bytes of ${this.entry.path}`, 'more of them');
    }
    for (let from = 0; from < bytes.length;) {
      const { bytesWritten } = await this.file.write(bytes, from, bytes.length - from, this.at + from);
      from += bytesWritten;
    }
    this.hash.update(bytes);
    this.at += bytes.length;
    this.onBytes(this.at);
  }

  isRight(): boolean {
    return this.hash.copy().digest('hex') === this.entry.etag;
  }
}

/** Git hashes a file behind its kind and length (git hash-object). */
function newHash({ isLfs, bytes }: HubFileEntry): Hash {
  return isLfs ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

function cutShort(client: HubClient, { path, bytes }: HubFileEntry, at: number): Transient {
  return new Transient(
    hubError(client, {
      code: 'hub/unreachable',
      expected: `${bytes} bytes of ${path}`,
      actual: `${at}, and then the end of the reply`,
      remedy: 'Try again: what has been fetched is kept, and the next try goes on from there.',
    }),
  );
}

function checksumError(client: HubClient, { path, isLfs, etag }: HubFileEntry) {
  return hubError(client, {
    code: 'hub/checksum',
    expected: `${path} with the ${isLfs ? 'sha-256' : 'Git sha-1'} ${etag}`,
    actual: 'bytes with another one; nothing of it was kept',
    remedy: 'Try again; where it stays so, something between this machine and the hub changes files.',
  });
}
