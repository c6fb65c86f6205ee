import type { MaskPicture } from '../../../src/search/maskPicture.ts';

/** Checkpoints that one can go back to; more would only fill memory. */
const MOST = 120;

/** Takes the picture of the next checkpoint in; beyond the most every other one is let go, but not the first and the last. */
export function withPicture(pictures: readonly MaskPicture[], picture: MaskPicture): readonly MaskPicture[] {
  // A search that was killed may tell a checkpoint again.
  if (picture.step <= (pictures.at(-1)?.step ?? -1)) return pictures;
  const all = [...pictures, picture];
  return all.length > MOST ? all.filter((_, i) => i % 2 === 0 || i === all.length - 1) : all;
}

/** The checkpoint that is looked at, or the nearest one that is still there. */
export function pictureIndex(pictures: readonly MaskPicture[], at: number | undefined): number {
  if (at === undefined) return pictures.length - 1;
  const after = pictures.findIndex(({ step }) => step >= at);
  return after < 0 ? pictures.length - 1 : after;
}
