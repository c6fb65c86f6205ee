import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { python, REFERENCE_CALIBRATION, REFERENCE_MODEL, REFERENCE_TEXT, SHARED } from './peer.ts';

const PROGRAM = join(SHARED, 'peer', 'recovery.py');

export interface LoraReply {
  /** Perplexity before training, and after merging without a mask. */
  readonly before: number;
  readonly value: number;
  readonly losses: readonly number[];
}

/**
 * Has the reference of weight updates train an adapter on the calibration text, with one thread.
 *
 * @param job `lora:ADAPTER:steps:rate:batch[:EXPRESSION | :wanda-sp]`, pruned at 50 %
 */
export async function loraPeer(
  job: string,
  { blocks, length }: { blocks: number; length: number },
): Promise<LoraReply> {
  const texts = ['--text', REFERENCE_TEXT, '--calibration', REFERENCE_CALIBRATION, '--train', REFERENCE_CALIBRATION];
  const sizes = ['--blocks', `${blocks}`, '--seqlen', `${length}`, '--threads', '1'];
  const { stdout } = await promisify(execFile)(python()!, [PROGRAM, REFERENCE_MODEL, ...texts, ...sizes, job]);
  return JSON.parse(stdout) as LoraReply;
}
