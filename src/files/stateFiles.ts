import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { throwIfCancelled } from '../base/errors.ts';
import { fileProblem } from './fileProblem.ts';
import { openToRead } from './openRegular.ts';
import type { OpenOptions } from './openRegular.ts';
import { sweepTemporaries } from './temporary.ts';

/** Bytes read at a time. */
const PORTION = 4 << 20;

/** Where the state of a recovery after so many steps lies: adapter, moments, step. */
export function stateFile(folder: string, step: number): string {
  return path.join(folder, `state-${step}`);
}

/**
 * sha-256, hex, of a state's file.
 *
 * @throws FileProblem; EspalierError `cancelled`
 */
export async function hashOfState(
  folder: string,
  step: number,
  { signal, ...options }: OpenOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const handle = await openToRead(stateFile(folder, step), options);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(PORTION);
    for (;;) {
      throwIfCancelled(signal, 'reading the state of a recovery');
      const { bytesRead } = await handle.read(buffer, 0, PORTION);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

/** Deletes the states after other steps than these, and what processes that were ended have left half written. What cannot be deleted now is so the next time. */
export async function keepStates(folder: string, steps: ReadonlySet<number>): Promise<void> {
  await sweepTemporaries(folder);
  const names = await readdir(folder).catch((error: unknown) => {
    if (fileProblem(error).missing) return [];
    throw error;
  });
  for (const name of names) {
    const step = /^state-(0|[1-9]\d{0,15})$/.exec(name)?.[1];
    if (step !== undefined && !steps.has(Number(step)))
      await rm(path.join(folder, name), { force: true }).catch(ignore);
  }
}

function ignore(): void {
  // A state too many does no harm.
}
