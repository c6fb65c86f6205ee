/** Widths of what is told of a generation; the sixth is what a kind of search counts by itself: evaluations saved, tokens. */
const WIDTHS = [10, 9, 9, 11, 11, 8, 7];

/**
 * A line of the table of generations, or its head.
 *
 * @param figures generation, best, mean, best so far, evaluations, what the kind counts by itself, time
 * @param best what is best so far: as long as it is
 */
export function generationCells(figures: readonly string[], best: string): string {
  return [...figures.map((figure, i) => figure.padStart(WIDTHS[i]!)), best].join('  ').trimEnd();
}
