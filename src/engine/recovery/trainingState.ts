import { rm } from 'node:fs/promises';
import { EspalierError } from '../../base/errors.ts';
import { openToUpdate } from '../../files/openRegular.ts';
import { hashOfState, stateFile } from '../../files/stateFiles.ts';
import { removeTemporary, temporaryBeside } from '../../files/temporary.ts';
import { moveInPlace } from '../../files/writeWhole.ts';
import { readSafetensorsHeader } from '../checkpoint/safetensors.ts';
import { TensorReader } from '../checkpoint/tensorReader.ts';
import { type TensorToWrite, writeSafetensors } from '../checkpoint/safetensorsWriter.ts';
import type { Moments } from './adam.ts';
import type { TrainedTensor } from './adapter.ts';

/** Where states of one recovery lie. */
export interface StatePlace {
  /** Absolute. */
  readonly folder: string;
  /** Hash of all that decides what is trained: a state of another recovery is refused. */
  readonly recovery: string;
}

/**
 * Writes the state after `step` steps: what is trained and Adam's means, in float32 as they are. It takes its name when it is complete and on the disk,
 * so whoever finds one finds a whole one.
 *
 * @returns sha-256, hex, of the file
 */
export async function writeState(
  { folder, recovery }: StatePlace,
  step: number,
  tensors: readonly TrainedTensor[],
  moments: readonly Moments[],
): Promise<string> {
  const parts = new Map<string, TensorToWrite>();
  for (const [name, shape, data] of partsOf(tensors, moments)) parts.set(name, { dtype: 'F32', shape, data });
  parts.set(markOf(recovery, step), { dtype: 'F32', shape: [1], data: Float32Array.of(1) });
  const file = stateFile(folder, step);
  const temporary = temporaryBeside(file);
  try {
    await writeSafetensors(temporary, parts, { format: 'espalier-recovery' });
    const handle = await openToUpdate(temporary);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Whatever was there is replaced, and nothing is written through a link.
    await rm(file, { recursive: true, force: true });
    await moveInPlace(temporary, file);
  } finally {
    await removeTemporary(temporary);
  }
  return hashOfState(folder, step);
}

/**
 * Reads such a state into tensors and means of its shapes.
 *
 * @throws EspalierError `checkpoint/safetensors`, `runs/damaged` for one of another recovery
 */
export async function readState(
  { folder, recovery }: StatePlace,
  step: number,
  tensors: readonly TrainedTensor[],
  moments: readonly Moments[],
): Promise<void> {
  const file = stateFile(folder, step);
  const header = await readSafetensorsHeader(file);
  const parts = partsOf(tensors, moments);
  if (!header.tensors.has(markOf(recovery, step)) || header.tensors.size !== parts.length + 1) {
    throw otherState(file, step);
  }
  const reader = new TensorReader([header]);
  try {
    for (const [name, shape, data] of parts) {
      const entry = header.tensors.get(name);
      if (entry?.dtype !== 'F32' || entry.shape.join() !== shape.join()) throw otherState(file, step);
      reader.stored(name, entry, 0, data);
    }
  } finally {
    reader.close();
  }
}

/** A tensor whose name alone matters: header readers give no metadata. */
function markOf(recovery: string, step: number): string {
  return `after ${step} steps of ${recovery}`;
}

function partsOf(
  tensors: readonly TrainedTensor[],
  moments: readonly Moments[],
): (readonly [name: string, shape: readonly number[], data: Float32Array])[] {
  return tensors.flatMap(({ place, input, shape, values }, index) => [
    [`${place} ${input}`, shape, values] as const,
    [`${place} ${input} mean`, shape, moments[index]!.mean] as const,
    [`${place} ${input} square`, shape, moments[index]!.square] as const,
  ]);
}

function otherState(file: string, step: number): EspalierError {
  return new EspalierError({
    code: 'runs/damaged',
    operation: `going on from the state after ${step} steps`,
    expected: 'a state of this recovery',
    actual: 'one of another, or of none',
    remedy: 'Delete it: the steps that led to it are trained again.',
    file,
  });
}
