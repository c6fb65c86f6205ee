import { open } from 'node:fs/promises';
import type { JournalOptions } from '../../src/runs/journal.ts';

/** Opens journals on a disk with so many bytes left: what still fits is written, and only then it fails. */
export function fullDisk(room: number): NonNullable<JournalOptions['openFile']> {
  return async (file) => {
    const handle = await open(file, 'r+').catch(() => open(file, 'wx+'));
    let written = 0;
    return {
      write: async (buffer, offset, length, position) => {
        if (written + length > room) {
          const part = Math.min(length, room - written);
          if (part > 0) await handle.write(buffer, offset, part, position);
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        }
        written += length;
        return handle.write(buffer, offset, length, position);
      },
      datasync: () => handle.datasync(),
      truncate: (length) => handle.truncate(length),
      close: () => handle.close(),
    };
  };
}
