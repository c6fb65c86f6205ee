import { closeSync, openSync, readSync } from 'node:fs';

/** None that we ask for is nearly as long. */
const MAX_BYTES = 64 << 10;

/** A file in which the system tells of itself (/proc, /sys): the first bytes of it, empty where there is none. Never anybody's own file. */
export function readSystemFile(file: `/proc/${string}` | `/sys/${string}`): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(MAX_BYTES);
      let at = 0;
      for (let read = -1; read !== 0 && at < MAX_BYTES; at += read) {
        read = readSync(descriptor, buffer, at, MAX_BYTES - at, at);
      }
      return buffer.toString('utf8', 0, at);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
}
