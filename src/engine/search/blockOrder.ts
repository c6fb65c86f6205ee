/** Fractional part of the golden ratio: its multiples fall evenly into the unit interval, however many are taken. */
const GOLDEN = 0.618_033_988_749_895;

/**
 * The order in which a search's rungs visit the evaluation blocks: the first few of it are spread over the whole text already, so
 * that a candidate is not judged by one article.
 *
 * @returns a permutation of 0 … count − 1
 */
export function blockOrder(count: number): number[] {
  const place = (index: number): number => ((index + 0.5) * GOLDEN) % 1;
  return Array.from({ length: count }, (_, index) => index).sort((a, b) => place(a) - place(b));
}
