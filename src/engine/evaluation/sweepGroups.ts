import { availableMemory } from '../runtime/memory.ts';
import type { SweepInputs } from './sweepInputs.ts';

/** Share of the available memory for the hidden states of the models that one sweep carries. */
const STREAM_SHARE = 0.4;

/** As many evaluations to a sweep as have room: each carries its own hidden states. */
export function inGroups<Evaluation>(
  evaluations: readonly Evaluation[],
  { checkpoint, evaluation, asked, calibration }: SweepInputs,
): Evaluation[][] {
  const tokens = evaluation.reduce((sum, { length }) => sum + length, asked?.tokens ?? 0);
  // One-shot they need no samples of their own, but for those that refit.
  const calibrationTokens = calibration.reduce((sum, { length }) => sum + length, 0);
  // Where only answers are wanted, nothing is carried.
  const bytes = 4 * checkpoint.config.hidden * Math.max(1, tokens + calibrationTokens);
  const size = Math.max(1, Math.floor((STREAM_SHARE * availableMemory()) / bytes) - 1);
  return Array.from({ length: Math.ceil(evaluations.length / size) }, (_, i) =>
    evaluations.slice(i * size, (i + 1) * size),
  );
}
