/**
 * Bounds of one metric after references are replaced: far beyond anything that ranks weights, and small enough that
 * every pass over an expression may recurse.
 */
export const MAX_EXPRESSION_NODES = 1000;
export const MAX_EXPRESSION_DEPTH = 500;
