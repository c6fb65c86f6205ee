import type { Size } from './layout.ts';

/** How large a tree is drawn, in times its natural size. */

/** Drawn smaller than this its text cannot be read: what does not fit then is scrolled to. */
const LEGIBLE = 0.55;
const SMALLEST = 0.2;
const LARGEST = 2;
/** From one press of a button to the next. */
export const STEP = 1.2;

/** The largest size, the natural one at most, at which all of a tree is in sight; where it could not be read then, the least that can. */
export function fittingZoom(tree: Size, room: Size): number {
  const share = Math.min(room.width / tree.width, room.height / tree.height);
  // Rounded down, so that nothing is left over.
  return Math.max(LEGIBLE, Math.min(1, Math.floor(share * 1000) / 1000));
}

/** Whether all of a tree is in sight where it is made to fit. */
export function isWhole(tree: Size, room: Size): boolean {
  const zoom = fittingZoom(tree, room);
  return zoom * tree.width <= room.width && zoom * tree.height <= room.height;
}

/** The nearest size that a person may choose; natural size has a notch. */
export function limitedZoom(wanted: number): number {
  const zoom = Math.max(SMALLEST, Math.min(LARGEST, wanted));
  return Math.abs(zoom - 1) < 0.04 ? 1 : Number(zoom.toFixed(3));
}
