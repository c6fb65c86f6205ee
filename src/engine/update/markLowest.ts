/**
 * Says 1 of each score that is at most the one that would stand at index `k` of the sorted ones, and 0 of the others. Numbers of 0 and more are in the order
 * of their bits, so two histograms find it, of the bits' upper halves and of the lower ones among equals; nothing branches on what the scores are, which
 * a processor could not foretell.
 *
 * @param scores of 0 and more
 * @param k below their number
 * @param lowest like the scores
 */
export function markLowest(scores: Float32Array, k: number, lowest: Float32Array): void {
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  counts.fill(0);
  for (const value of bits) counts[value >>> 16]!++;
  const high = bucketOf(k);
  counts.fill(0);
  for (const value of bits) if (value >>> 16 === high.bucket) counts[value & (HALF - 1)]!++;
  const kth = high.bucket * HALF + bucketOf(k - high.before).bucket;
  // The sign of the difference of what is below 2³¹.
  for (let at = 0; at < bits.length; at++) lowest[at] = (bits[at]! - kth - 1) >>> 31;
}

/** Half of a number's bits. */
const HALF = 2 ** 16;

/** One for all calls: it is larger than what many of them count. */
const counts = new Uint32Array(HALF);

/** The bucket in which the k-th of what was counted lies, and how many lie in those before. */
function bucketOf(k: number): { readonly bucket: number; readonly before: number } {
  let before = 0;
  let bucket = 0;
  while (before + counts[bucket]! <= k) before += counts[bucket++]!;
  return { bucket, before };
}
