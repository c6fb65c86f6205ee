/** Most evaluations of one plan. */
export const MAX_EVALUATIONS = 100_000;

/** Widest N:M group that is accepted: hardware knows 2:4, papers go up to 16. */
export const MAX_GROUP = 32;

/** Far beyond what removing anything could gain. */
export const MOST_TIMES_FASTER = 1000;
/** A petabyte: far beyond any model. */
export const MOST_BYTES = 1e15;
