import { EspalierError } from '../base/errors.ts';
import { parseExpression } from '../language/check/compile.ts';
import type { ReadFormula } from '../search/metrics/effects.ts';

/** A formula that stands in no file, as the language reads one: infix or prefix, of operands and operations by their names. */
export const readFormula: ReadFormula = (text) => {
  try {
    return parseExpression(text);
  } catch (thrown) {
    if (!(thrown instanceof EspalierError)) throw thrown;
    return { problem: thrown.data.actual };
  }
};
