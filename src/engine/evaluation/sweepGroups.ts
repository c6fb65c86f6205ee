import { statfsSync } from 'node:fs';
import { stateBytes } from '../forward/stateStream.ts';
import { availableMemory } from '../runtime/memory.ts';
import type { SweepInputs } from './sweepInputs.ts';

/** Share of the available memory for the hidden states of the models that one sweep carries, and of the free disk for those that lie there. */
const STREAM_SHARE = { memory: 0.4, disk: 0.8 };

/** As many evaluations to a sweep as have room: each carries its own hidden states. */
export function inGroups<Evaluation>(evaluations: readonly Evaluation[], inputs: SweepInputs): Evaluation[][] {
  const { evaluated, calibration, onDisk } = trackBytes(inputs);
  const rooms = [
    // Where only answers are wanted, nothing is carried.
    (STREAM_SHARE.memory * availableMemory()) / Math.max(1, evaluated + calibration),
    ...(onDisk > 0 ? [(STREAM_SHARE.disk * freeBytes(scratchFolderOf(inputs)!)) / onDisk] : []),
  ];
  const size = Math.max(1, Math.floor(Math.min(...rooms)) - 1);
  return Array.from({ length: Math.ceil(evaluations.length / size) }, (_, i) =>
    evaluations.slice(i * size, (i + 1) * size),
  );
}

/** Bytes of hidden states that a sweep has of each model: in memory of what is evaluated and of calibration samples, and on the disk. */
export function trackBytes({ checkpoint: { config }, evaluation, asked, calibration, scratchFolder }: SweepInputs): {
  readonly evaluated: number;
  /** Where all are calibrated one-shot none need it but those that refit. */
  readonly calibration: number;
  readonly onDisk: number;
} {
  const bytesOf = (sequences: readonly Int32Array[]): number =>
    stateBytes(
      config,
      sequences.reduce((sum, { length }) => sum + length, 0),
    );
  const ofTasks = asked ? stateBytes(config, asked.tokens) : 0;
  const isFiled = scratchFolder !== undefined;
  const tasksAreFiled = asked?.scratchFolder !== undefined;
  return {
    evaluated: (isFiled ? 0 : bytesOf(evaluation)) + (tasksAreFiled ? 0 : ofTasks),
    calibration: isFiled ? 0 : bytesOf(calibration),
    onDisk: (isFiled ? bytesOf(evaluation) + bytesOf(calibration) : 0) + (tasksAreFiled ? ofTasks : 0),
  };
}

/** Where hidden states lie that memory has no room for; undefined where it has. */
export function scratchFolderOf({ scratchFolder, asked }: SweepInputs): string | undefined {
  return scratchFolder ?? asked?.scratchFolder;
}

/** Of a folder that need not be there yet: then of no account. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
