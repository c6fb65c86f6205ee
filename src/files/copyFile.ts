import { createFile, openToRead } from './openRegular.ts';
import type { OpenOptions } from './openRegular.ts';

/** Copies a regular file to where nothing is yet, piece by piece, and flushes the copy. */
export async function copyFile(from: string, to: string, options?: OpenOptions): Promise<void> {
  const source = await openToRead(from, options);
  try {
    const target = await createFile(to);
    try {
      const { size } = await source.stat();
      const buffer = Buffer.allocUnsafeSlow(Math.min(PORTION, Math.max(size, 1)));
      for (let at = 0; at < size;) {
        const { bytesRead } = await source.read(buffer, 0, Math.min(PORTION, size - at), at);
        if (bytesRead === 0) break;
        await target.writeFile(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Bytes. */
const PORTION = 1 << 20;
