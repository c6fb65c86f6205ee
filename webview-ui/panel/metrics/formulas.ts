import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { printInfix } from '../../../src/metric/print.ts';

const known = new Map<string, string>();

/** A candidate's formula as a person writes it, `W * sqrt(X)`. Read once, when it is first shown. */
export function formulaOf({ expression }: { readonly expression: string }): string {
  let formula = known.get(expression);
  if (formula === undefined) {
    try {
      formula = printInfix(parsePrefix(expression));
    } catch {
      // A journal of a newer version may know operations that this one does not.
      formula = expression;
    }
    known.set(expression, formula);
  }
  return formula;
}
