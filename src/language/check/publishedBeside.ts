import { publishedFigure } from '../../experiment/published.ts';
import type { PublishedFigure, PublishedMethod } from '../../experiment/published.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { canonical } from '../../metric/canonical.ts';
import { operand, operation } from '../../metric/expression.ts';
import { isOperandName } from '../../metric/operands.ts';
import { isOperationName } from '../../metric/operations.ts';
import { parseExpressionText } from '../syntax/parse.ts';
import { compileExpression, operandValue } from './expressions.ts';
import type { ExpressionContext } from './expressions.ts';

/** The figure that a paper published beside a result; undefined where there is none. */
export function publishedBeside(result: EvaluationResult): PublishedFigure | undefined {
  const { provenance, sparsity } = result;
  if (provenance.protocol === undefined) return undefined;
  const method = methodOf(result);
  return method && publishedFigure(provenance, method, sparsity);
}

/** The published method that a result is of, whatever its metric is called and however it is written. */
function methodOf({ expression, sparsity, structure }: EvaluationResult): PublishedMethod | undefined {
  if (sparsity === undefined) return 'dense';
  if (structure) return expression === 'wanda-sp' || expression === 'wanda-sp, owl (5, 0.08)' ? expression : undefined;
  const [, formula = '', group] = /^(.*?)(?:, group (row|layer))?$/s.exec(expression) ?? [];
  const key = keyOf(formula);
  const method = METHODS.find((known) => known.key === key);
  // A pattern compares within itself.
  const isCompared = sparsity.kind === 'n:m' || (group ?? 'row') === method?.group;
  return isCompared ? method?.name : undefined;
}

const METHODS = [
  { name: 'magnitude', key: canonical(operand('W')).key, group: 'layer' },
  { name: 'wanda', key: canonical(operation('mul', operand('W'), operation('sqrt', operand('X')))).key, group: 'row' },
] as const;

/** Of a formula that needs no file. */
function keyOf(formula: string): string | undefined {
  const { syntax, problem } = parseExpressionText(formula);
  const compiled = problem ? undefined : compileExpression(syntax, ALONE);
  return compiled && canonical(compiled.expression).key;
}

const ALONE: ExpressionContext = {
  base: 0,
  findings: undefined,
  suggest: () => undefined,
  resolve: (name) => {
    if (isOperandName(name)) return { kind: 'value', symbol: { kind: 'operand', name }, value: operandValue(name) };
    return isOperationName(name) ? { kind: 'operation', name } : undefined;
  },
};
