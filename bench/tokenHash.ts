import { createHash } from 'node:crypto';

/** What both sides print of the ids that they evaluate. @param parts one after the other */
export function tokenHash(parts: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const ids of parts) hash.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
  return hash.digest('hex');
}
