import { isWhole } from '../forward/maskInputs.ts';
import { Pruner } from '../pruning/pruner.ts';
import type { SweepInputs, Variant } from './sweepInputs.ts';
import { Track } from './track.ts';

/** The tracks of a sweep: of the dense model first, where it is asked for, then of its variants. */
export interface OpenTracks {
  readonly tracks: readonly Track[];
  /** To be called when the sweep has come to a block, before any track visits it. */
  reach(index: number): Promise<void>;
}

/**
 * A variant whose first blocks are the dense model's need not carry anything through them: one track does, the dense one or the variant
 * that changes last, and the others begin with its states where they change something. So curves of one block at a time take half as long.
 * Where states lie in files, where a variant carries calibration samples of its own, and where tasks are asked, each goes all the way.
 *
 * @param tracks where they are put, so that whoever called disposes of those that are open when another cannot be opened
 */
export async function openTracks(
  inputs: SweepInputs,
  variants: readonly (Variant | undefined)[],
  tracks: Track[],
): Promise<OpenTracks> {
  const changes = variants.map((variant) => (variant ? firstChange(variant, inputs) : Infinity));
  const ahead = changes.indexOf(Math.max(...changes));
  for (const [i, variant] of variants.entries()) {
    tracks.push(await Track.open(inputs, variant, tracks.slice(0, i), i === ahead ? 0 : changes[i]!));
  }
  return {
    tracks,
    reach: async (index) => {
      for (const track of tracks) await track.beginWith(tracks[ahead]!, index);
    },
  };
}

/** The first block that is not the dense model's; the last one where none is, and 0 where the way there cannot be shared. */
function firstChange(variant: Variant, inputs: SweepInputs): number {
  const { evaluation, asked, scratchFolder, statistics, calibrate, weights } = inputs;
  if (evaluation.length === 0 || asked || scratchFolder !== undefined) return 0;
  const carriesSamples =
    variant instanceof Pruner
      ? (variant.rows.length > 0 || variant.update !== undefined) && !statistics && calibrate === 'sequential'
      : variant.refitter !== undefined;
  if (carriesSamples) return 0;
  const changes = (index: number): boolean => {
    const layout = weights.layouts[index]!;
    return variant instanceof Pruner ? variant.touches(index, layout) : !isWhole(layout, variant.mask[index]!);
  };
  const found = weights.layouts.findIndex((_, index) => changes(index));
  return found === -1 ? weights.layouts.length - 1 : found;
}
