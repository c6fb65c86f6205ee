import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { python, REFERENCE_CALIBRATION, REFERENCE_MODEL, REFERENCE_TEXT, SHARED, whyNoPeer } from './peer.ts';

const SCRIPT = join(SHARED, 'peer', 'recovery.py');

/** Why the PyTorch reference of updates and recovery cannot run here; undefined where it can. */
export function whyNoRecoveryPeer(): string | undefined {
  return whyNoPeer() ?? (existsSync(SCRIPT) ? undefined : `there is no ${SCRIPT}`);
}

export interface RecoveryAnswer {
  /** Perplexity. */
  readonly value: number;
  /** Of a job that has one: before the update, or before training. */
  readonly before?: number;
  /** Of a job that trains. */
  readonly losses?: readonly number[];
}

/** Runs one job of the reference, which trains on the calibration text where it trains. @param flags as its command line has them */
export async function askRecoveryPeer(
  job: string,
  { length, samples, blocks }: { readonly length: number; readonly samples?: number; readonly blocks: number },
  flags: readonly string[] = [],
): Promise<RecoveryAnswer> {
  const asked = {
    text: REFERENCE_TEXT,
    calibration: REFERENCE_CALIBRATION,
    train: REFERENCE_CALIBRATION,
    seqlen: length,
    ...(samples !== undefined && { samples }),
    blocks,
    threads: 1,
  };
  const named = Object.entries(asked).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const { stdout } = await promisify(execFile)(python()!, [SCRIPT, REFERENCE_MODEL, ...named, ...flags, job]);
  return JSON.parse(stdout) as RecoveryAnswer;
}
