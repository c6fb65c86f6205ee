/** Most evaluations of one plan. */
export const MAX_EVALUATIONS = 100_000;

/** Widest N:M group that is accepted: hardware knows 2:4, papers go up to 16. */
export const MAX_GROUP = 32;
