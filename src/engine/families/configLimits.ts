/**
 * Sizes beyond every model there is, by one or two orders of magnitude: what a config.json says is multiplied and allocated
 * later, so a hostile one must fail here.
 */
export const LIMITS = {
  hidden: { minimum: 1, maximum: 2 ** 18 },
  intermediate: { minimum: 1, maximum: 2 ** 20 },
  depth: { minimum: 1, maximum: 2 ** 12 },
  heads: { minimum: 1, maximum: 2 ** 12 },
  headDim: { minimum: 1, maximum: 2 ** 14 },
  vocabulary: { minimum: 1, maximum: 2 ** 23 },
  positions: { minimum: 2, maximum: 2 ** 30 },
  epsilon: { minimum: Number.MIN_VALUE, maximum: 1 },
} as const;
