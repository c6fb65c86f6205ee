import os from 'node:os';
import type { ModelConfig } from '../families/families.ts';
import type { BlockLayout } from '../families/family.ts';
import { availableMemory } from '../runtime/memory.ts';
import type { Weights } from './blockWeights.ts';
import { embed, type ForwardInputs } from './embed.ts';
import { FiledStream } from './filedStream.ts';
import { type AdvanceOptions, HiddenStream } from './hiddenStream.ts';
import type { Places } from './places.ts';
import type { Step } from './step.ts';

/** Hidden states of sequences between two blocks, wherever they lie meanwhile. */
export interface StateStream {
  /** Batches: program runs that carry all sequences through one block. */
  readonly steps: number;
  /** Lends all states, or a part of the batches after the other in their order; what has become of them is kept. */
  each(use: (part: HiddenStream) => Promise<void>): Promise<void>;
  /** Carries every sequence through a block, or through what a mask leaves of it. */
  advance(layout: BlockLayout, block: Weights, step: Step, detail: string, options?: AdvanceOptions): Promise<void>;
  dispose(): Promise<void> | void;
}

/**
 * Hidden states before the first block, see {@link embed}.
 *
 * @param scratchFolder where they lie in a file; absent where in memory. That decides nothing but time.
 * @param like one of the same sequences that has not moved yet: what lies in memory is copied there
 * @throws EspalierError `io/write` where they lie in a file and there is none to be had
 */
export function openStates(
  inputs: ForwardInputs,
  sequences: readonly Int32Array[],
  scratchFolder: string | undefined,
  places: readonly Places[] = [],
  like?: StateStream,
): Promise<StateStream> {
  if (like instanceof HiddenStream) return like.copy();
  return scratchFolder === undefined
    ? embed(inputs, sequences, places)
    : FiledStream.open(inputs, sequences, scratchFolder, places);
}

/** Share of the available memory for the hidden states of one model: a sweep carries at least two, the dense one and another. */
const HELD_SHARE = 0.2;

/**
 * Where hidden states of one model lie between two blocks: undefined for memory, else the folder of their file.
 *
 * @param cacheFolder without one the system's folder for temporary files
 * @param available bytes of memory
 */
export function scratchPlace(
  bytes: number,
  cacheFolder: string | undefined,
  available = availableMemory(),
): string | undefined {
  return bytes <= HELD_SHARE * available ? undefined : (cacheFolder ?? os.tmpdir());
}

/** Bytes of the hidden states of tokens. */
export function stateBytes({ hidden }: Pick<ModelConfig, 'hidden'>, tokens: number): number {
  return 4 * hidden * tokens;
}
