import { formatCount, formatPerplexity } from './format.ts';
import type { RecoveryReport } from './recoverySchema.ts';

/** `held out 72.4 → 58.3 (dense 54.8), 100 of 120 steps kept, 412 k numbers on 60 sequences`: what training came to, in a line. */
export function recoveryLine({ trainable, sequences, steps, kept, heldOut, before }: RecoveryReport): string {
  const [dense, from, to] = [heldOut.dense, heldOut.before, heldOut.after].map((each) =>
    each === null ? 'not finite' : formatPerplexity(each),
  );
  return [
    `${formatPerplexity(before)} before it`,
    `held out ${from} → ${to} (dense ${dense})`,
    `kept after ${kept} of ${steps} steps`,
    `${formatCount(trainable)} numbers on ${sequences} sequences`,
  ].join(', ');
}
