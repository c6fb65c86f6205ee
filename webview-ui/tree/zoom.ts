import type { Size } from './layout.ts';

/** How large a tree is drawn, in times its natural size. */

/** Drawn smaller than this its text cannot be read: what does not fit then is scrolled to. */
const LEGIBLE = 0.6;
const SMALLEST = 0.2;
const LARGEST = 2;
/** From one press of a button to the next. */
export const STEP = 1.2;

/** The largest size, the natural one at most, at which all of a tree is in sight; where it could not be read then, the least that can. */
export function fittingZoom(tree: Size, room: Size): number {
  const share = Math.min(room.width / tree.width, room.height / tree.height);
  return Math.max(LEGIBLE, Math.min(1, share));
}

/** The nearest size that a person may choose; natural size has a notch. */
export function limitedZoom(wanted: number): number {
  const zoom = Math.max(SMALLEST, Math.min(LARGEST, wanted));
  return Math.abs(zoom - 1) < 0.04 ? 1 : Number(zoom.toFixed(3));
}
