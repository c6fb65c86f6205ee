import type { Groups } from './comparisonGroups.ts';
import { KthLowest } from './kthLowest.ts';

/** Up to this size the weights of a group are compared with each other, one by one. */
const SMALL = 8;

/** Weights of a layer, or of some of its rows, and what they score; row-major. */
export interface ScoredWeights {
  /** All finite. */
  readonly score: Float32Array;
  readonly weight: Float32Array;
  /** What no score is below, and what none is above. */
  readonly range: readonly [number, number];
}

/** Selects the lowest of every group; of equal ones the first go first. */
export class LowestSelection {
  private readonly kth = new KthLowest();

  /**
   * Writes the weights to `pruned`, those with the lowest scores as zeros; → how many are zero there.
   *
   * @param pruned as long as the weight
   */
  prune({ score, weight, range }: ScoredWeights, { size, remove }: Groups, pruned: Float32Array): number {
    // As bits, so that what stays is a mask on them: a branch that half of the weights take costs more than all the rest.
    const [bits, from, to] = [bitsOf(score), bitsOf(weight), bitsOf(pruned)];
    if (remove > 0 && size === 4) return compareInFours(score, from, to, remove);
    if (remove > 0 && size <= SMALL) return compareInGroups(score, from, to, size, remove);
    if (remove === 0) return keepAbove(score, from, to, 0, score.length, -Infinity);
    let zeros = 0;
    for (let begin = 0; begin < score.length; begin += size) {
      const { value, below, equal } = this.kth.find(bits, begin, begin + size, remove - 1, range);
      const ties = remove - below;
      zeros +=
        ties === equal
          ? keepAbove(score, from, to, begin, begin + size, value)
          : keepFrom(score, from, to, begin, begin + size, value, ties);
    }
    return zeros;
  }
}

/** A weight goes that fewer than `remove` of its group are before: lower ones, and equal ones to the left. */
function compareInGroups(score: Float32Array, from: Int32Array, to: Int32Array, size: number, remove: number): number {
  let zeros = 0;
  for (let begin = 0; begin < score.length; begin += size) {
    for (let i = begin; i < begin + size; i++) {
      const own = score[i]!;
      let before = 0;
      for (let j = begin; j < i; j++) before += Number(score[j]! <= own);
      for (let j = i + 1; j < begin + size; j++) before += Number(score[j]! < own);
      const kept = from[i]! & -Number(before >= remove);
      to[i] = kept;
      zeros += isZero(kept);
    }
  }
  return zeros;
}

/** The same for what hardware knows, each two compared once: more than twice as fast. */
function compareInFours(score: Float32Array, from: Int32Array, to: Int32Array, remove: number): number {
  let zeros = 0;
  for (let i = 0; i < score.length; i += 4) {
    const a = score[i]!;
    const b = score[i + 1]!;
    const c = score[i + 2]!;
    const d = score[i + 3]!;
    const ba = Number(b < a);
    const ca = Number(c < a);
    const da = Number(d < a);
    const cb = Number(c < b);
    const db = Number(d < b);
    const dc = Number(d < c);
    const keptA = from[i]! & -Number(ba + ca + da >= remove);
    const keptB = from[i + 1]! & -Number(1 - ba + cb + db >= remove);
    const keptC = from[i + 2]! & -Number(2 - ca - cb + dc >= remove);
    const keptD = from[i + 3]! & -Number(3 - da - db - dc >= remove);
    to[i] = keptA;
    to[i + 1] = keptB;
    to[i + 2] = keptC;
    to[i + 3] = keptD;
    zeros += isZero(keptA) + isZero(keptB) + isZero(keptC) + isZero(keptD);
  }
  return zeros;
}

/** Of one group, whose highest score that goes is `value`. */
function keepAbove(
  score: Float32Array,
  from: Int32Array,
  to: Int32Array,
  begin: number,
  end: number,
  value: number,
): number {
  let zeros = 0;
  for (let i = begin; i < end; i++) {
    const kept = from[i]! & -Number(score[i]! > value);
    to[i] = kept;
    zeros += isZero(kept);
  }
  return zeros;
}

/** The same, where of those with just that score only the first `ties` go. */
function keepFrom(
  score: Float32Array,
  from: Int32Array,
  to: Int32Array,
  begin: number,
  end: number,
  value: number,
  ties: number,
): number {
  let [zeros, seen] = [0, 0];
  for (let i = begin; i < end; i++) {
    const own = score[i]!;
    const same = Number(own === value);
    const kept = from[i]! & -(Number(own > value) | (same & Number(seen >= ties)));
    seen += same;
    to[i] = kept;
    zeros += isZero(kept);
  }
  return zeros;
}

/** 1 of the bits of either zero. */
function isZero(bits: number): number {
  return Number(bits << 1 === 0);
}

function bitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}
