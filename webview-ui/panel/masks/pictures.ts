import type { MaskPicture } from '../../../src/search/masks/picture.ts';

/** Checkpoints that one can go back to; more would only fill memory. */
const MOST = 120;

/**
 * Takes the picture of the next checkpoint in. Beyond the most one is let go, never the first or the last: the one whose neighbours are
 * closest to each other, so that those that stay are spread over the whole search.
 */
export function withPicture(pictures: readonly MaskPicture[], picture: MaskPicture): readonly MaskPicture[] {
  // A search that was killed may tell a checkpoint again.
  if (picture.step <= (pictures.at(-1)?.step ?? -1)) return pictures;
  const all = [...pictures, picture];
  return all.length > MOST ? all.toSpliced(closest(all), 1) : all;
}

function closest(all: readonly MaskPicture[]): number {
  const gapAt = (i: number): number => all[i + 1]!.step - all[i - 1]!.step;
  let best = 1;
  for (let i = 2; i < all.length - 1; i++) if (gapAt(i) < gapAt(best)) best = i;
  return best;
}

/** The checkpoint that is looked at, or the nearest one that is still there. */
export function pictureIndex(pictures: readonly MaskPicture[], at: number | undefined): number {
  if (at === undefined) return pictures.length - 1;
  const after = pictures.findIndex(({ step }) => step >= at);
  return after < 0 ? pictures.length - 1 : after;
}
