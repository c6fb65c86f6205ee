// Which files of the slow suite one run of CI tries, and how long each of them takes.

/**
 * Seconds of processor (user and system, of the test and all that it starts) on two cores, which a busy machine changes less than it does
 * time. Measured file by file: `times` of `npx vitest run --config vitest.slow.config.ts FILE`, a software GPU and PyTorch at hand.
 */
export const SECONDS = {
};

/** Of a file that nobody has measured yet. */
export const UNKNOWN = 60;

/** What a run of CI takes for slow files. */
export const BUDGET = 260;

/**
 * The first file in the order is taken however long it is, so that each has its turn; then the first that needs the reference; then
 * whatever still fits, from the beginning to the end.
 *
 * @param order all files as a seed shuffles them
 * @param needsReference whether a file compares with PyTorch
 */
export function chooseFiles(order, needsReference, seconds = SECONDS, budget = BUDGET) {
  const chosen = new Set([order[0], order.find(needsReference)].filter((file) => file !== undefined));
  const of = (file) => seconds[file] ?? UNKNOWN;
  let left = [...chosen].reduce((rest, file) => rest - of(file), budget);
  for (const file of order) {
    if (chosen.has(file) || of(file) > left) continue;
    chosen.add(file);
    left -= of(file);
  }
  return [...chosen];
}
