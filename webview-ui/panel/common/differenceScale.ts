/**
 * An axis for differences in percent that are small at one end and large at the other: even around 0, where a tenth of a percent is to
 * be seen, and logarithmic further out.
 */

/** Percent up to which the axis is about even. */
const EVEN = 0.5;

/** Where a difference of so many percent stands on the axis. */
export function placeOf(percent: number): number {
  return Math.asinh(percent / EVEN);
}

export function percentAt(place: number): number {
  return EVEN * Math.sinh(place);
}

/** Ticks are so far apart at least, as a share of the axis. */
const APART = 1 / 9;

export interface DifferenceScale {
  /** Places, not percents. */
  readonly min: number;
  readonly max: number;
  /** Percents. */
  readonly ticks: readonly number[];
}

/** From the lowest to the highest of these differences (percents), 0 included. */
export function differenceScale(percents: readonly number[]): DifferenceScale {
  const places = [0, ...percents.filter(Number.isFinite).map(placeOf)];
  const [lowest, highest] = [Math.min(...places), Math.max(...places)];
  const margin = Math.max(0.06 * (highest - lowest), 0.1);
  const [min, max] = [lowest - margin, highest + margin];
  return { min, max, ticks: differenceTicks(min, max) };
}

/** Percents between two places, round and so far apart that each can be read. */
export function differenceTicks(min: number, max: number): number[] {
  const ticks = min <= 0 && max >= 0 ? [0] : [];
  // From 0 outwards, so that 0 is one of them and the same steps stand above and below.
  for (const sign of [1, -1]) {
    let last = 0;
    for (const size of SIZES) {
      const place = placeOf(sign * size);
      if (place < min || place > max || Math.abs(place - last) < APART * (max - min)) continue;
      ticks.push(sign * size);
      last = place;
    }
  }
  return ticks.sort((a, b) => a - b);
}

/** 0.1, 0.2, 0.5, 1, … percent. */
const SIZES = [-1, 0, 1, 2, 3, 4, 5].flatMap((power) =>
  [1, 2, 5].map((factor) => Number((factor * 10 ** power).toPrecision(3))),
);
