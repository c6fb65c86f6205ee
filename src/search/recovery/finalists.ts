/** Names of the two evaluations at the end of a recovery: of what was pruned, and of what training has made of it. */
export const BEFORE = 'before';
export const AFTER = 'after';
