import { keyOf, keyOfBits, valueOf } from './orderedKeys.ts';

/** Where a value stands in a group. */
export interface Place {
  readonly value: number;
  /** How many of the group are lower. */
  readonly below: number;
  /** How many are the same. */
  readonly equal: number;
}

/** Most binary digits by which values are told apart at a time: as many counts as stay in the first cache beside a row. */
const MOST_DIGITS = 11;
const FEWEST_DIGITS = 5;

/**
 * Finds the value that would stand at a place of a sorted group, by the bits of float32 (a radix sort from the highest digit, Knuth 5.2.5, of
 * which only the part with that place is sorted on): the values are counted by the digits that tell the lowest from the highest, and those
 * that share the digits found are counted by the next. So it takes a few passes whatever the values are.
 */
export class KthLowest {
  private readonly counts = new Uint32Array(1 << MOST_DIGITS);
  private candidates = new Int32Array(0);

  /**
   * @param bits float32 values as their bits, all finite; the group is `from` to `to`
   * @param k place in the sorted group, from 0; equal values stand beside each other
   * @param range what none of the group is below and none above, and which need not be tight
   */
  find(bits: Int32Array, from: number, to: number, k: number, range: readonly [number, number]): Place {
    const { counts } = this;
    // The values that are left are `low` and less than 2^width above it; those that share all but `shift` digits are counted together.
    let low = keyOf(range[0]);
    let width = 32 - Math.clz32(keyOf(range[1]) - low);
    let [below, left] = [0, to - from];
    let shift = shiftOf(width, left);
    counts.fill(0, 0, 1 << (width - shift));
    for (let i = from; i < to; i++) counts[(keyOfBits(bits[i]!) - low) >>> shift]!++;
    for (let first = true; ; first = false) {
      let digit = 0;
      for (; below + counts[digit]! <= k; digit++) below += counts[digit]!;
      low = (low + (digit << shift)) | 0;
      const found = counts[digit]!;
      if (shift === 0) return { value: valueOf(low), below, equal: found };
      if (first) this.gather(bits, from, to, low, shift, found);
      else narrow(this.candidates, left, low, shift);
      if (found === 1) return { value: valueOf(this.candidates[0]!), below, equal: 1 };
      left = found;
      width = shift;
      shift = shiftOf(width, left);
      counts.fill(0, 0, 1 << (width - shift));
      const { candidates } = this;
      for (let i = 0; i < left; i++) counts[(candidates[i]! - low) >>> shift]!++;
    }
  }

  /** Takes those out of the group that share the digits of `low`. */
  private gather(bits: Int32Array, from: number, to: number, low: number, shift: number, length: number): void {
    if (this.candidates.length < length) this.candidates = new Int32Array(length);
    const { candidates } = this;
    let at = 0;
    for (let i = from; i < to; i++) {
      const key = keyOfBits(bits[i]!);
      if ((key - low) >>> shift === 0) candidates[at++] = key;
    }
  }
}

/** Moves those that share the digits of `low` to the front. */
function narrow(keys: Int32Array, length: number, low: number, shift: number): void {
  let at = 0;
  for (let i = 0; i < length; i++) {
    const key = keys[i]!;
    if ((key - low) >>> shift === 0) keys[at++] = key;
  }
}

/** Of few values few digits are counted at a time: counts have to be cleared and looked through. */
function shiftOf(width: number, values: number): number {
  const digits = Math.min(MOST_DIGITS, Math.max(FEWEST_DIGITS, 31 - Math.clz32(values)));
  return Math.max(0, width - digits);
}
