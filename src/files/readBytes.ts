import type { FileHandle } from 'node:fs/promises';
import { cancelledError, EspalierError } from '../base/errors.ts';
import { FileProblem, fileProblem } from './fileProblem.ts';
import { openToRead } from './openRegular.ts';
import type { OpenOptions } from './openRegular.ts';

export interface ReadOptions extends OpenOptions {
  /** A longer file is refused before it is read. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes read at a time: between two portions the event loop gets its turn, and a request to cancel is heard. */
const PORTION = 4 << 20;

/**
 * A whole regular file. Never reads more than `maxBytes`, whatever the file says of its size.
 *
 * @throws FileProblem; EspalierError `cancelled`
 */
export async function readBytes(
  file: string,
  { maxBytes, signal, ...options }: ReadOptions,
): Promise<Buffer<ArrayBuffer>> {
  const handle = await openToRead(file, options);
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new FileProblem('too-large', `${size} bytes`);
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let at = 0; at < size;) {
      if (signal?.aborted) throw cancelledError(`reading ${file}`);
      const { bytesRead } = await handle.read(bytes, at, Math.min(PORTION, size - at), at);
      if (bytesRead === 0) throw new FileProblem('changed', `${at} bytes where there were ${size} when it was opened`);
      at += bytesRead;
    }
    if (size === 0) await refuseHidden(handle);
    return bytes;
  } catch (error) {
    throw error instanceof EspalierError ? error : fileProblem(error);
  } finally {
    await handle.close();
  }
}

/** A whole regular file that holds UTF-8. A byte order mark at its start is no part of the text. */
export async function readText(file: string, options: ReadOptions): Promise<string> {
  const bytes = await readBytes(file, options);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FileProblem('encoding', 'bytes that are not UTF-8', { cause: error });
  }
}

/** Files of the kernel (/proc, /sys) say that they are empty, and some go on for ever. */
export async function refuseHidden(handle: FileHandle): Promise<void> {
  // Some are read in words of 8 bytes only, some not at all.
  const { bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0).catch(() => ({ bytesRead: 1 }));
  if (bytesRead > 0) throw new FileProblem('no-size', 'a file of the system, which does not say how long it is');
}
