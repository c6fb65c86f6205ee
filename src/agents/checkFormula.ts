import * as z from 'zod';
import { parseExpression } from '../language/check/compile.ts';
import { canonical } from '../metric/canonical.ts';
import { operandsOf } from '../metric/measure.ts';
import { printInfix, printPrefix } from '../metric/print.ts';
import { agentTool } from './agentTool.ts';

/** A formula, bounded: no metric that anybody reads is nearly as long. */
export const formulaSchema = z
  .string()
  .min(1)
  .max(4000)
  .describe(
    'A metric: W (weight), X (norm of its input), G (gradient) with + - * / and functions, such as `abs(W) * sqrt(X)`',
  );

export const checkFormula = agentTool({
  name: 'check_formula',
  title: 'Check a formula',
  description:
    'Whether a pruning metric can be read and ranks weights, its canonical form (equal for all formulas that rank alike), and the operands that it needs. Computes nothing.',
  access: 'read',
  input: z.strictObject({ formula: formulaSchema }),
  asks: ({ formula }) => `check the formula ${formula}`,
  answer: ({ formula }) => {
    const expression = parseExpression(formula);
    return Promise.resolve({
      formula: printInfix(expression),
      prefix: printPrefix(expression),
      canonical: printInfix(canonical(expression).expression),
      operands: operandsOf(expression),
    });
  },
});
