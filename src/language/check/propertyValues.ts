import { MAX_GROUP } from '../../experiment/limits.ts';
import { BUDGET_FORMS, nearestBudget, parseBudget } from '../../experiment/budget.ts';
import { parseSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import { nearestName } from '../../metric/nearest.ts';
import { isOperandName, OPERAND_NAMES } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { isOperationName, OPERATION_NAMES } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';
import { printShape } from '../../metric/shape.ts';
import { didYouMean } from './diagnostics.ts';
import type { PrunedMetric } from './document.ts';
import { compileExpression, withArticle } from './expressions.ts';
import { readGroup } from './groupOption.ts';
import type { PropertyReader } from './propertyReader.ts';
import type { ExpressionSyntax, PercentageSyntax, QuantitySyntax } from '../syntax/syntax.ts';

/** Each function reads one value of a property; undefined where it is wrong, which is told. */

/** The values that are right; one that is said twice counts once. */
export function eachOnce<Value>(
  reader: PropertyReader,
  values: readonly ExpressionSyntax[],
  read: (reader: PropertyReader, value: ExpressionSyntax) => Value | undefined,
  keyOf: (value: Value) => string,
): Value[] {
  const found = new Map<string, Value>();
  for (const syntax of values) {
    const value = read(reader, syntax);
    if (value === undefined) continue;
    const key = keyOf(value);
    if (found.has(key)) {
      const message = `\`${reader.source(syntax.span)}\` is listed twice and counts once`;
      reader.tell('experiment/repeated', syntax.span, message);
    }
    found.set(key, value);
  }
  return [...found.values()];
}

/** A metric by its name, a call of one, or an expression. */
export function readMetric(reader: PropertyReader, syntax: ExpressionSyntax): PrunedMetric | undefined {
  const { definitions } = reader.context;
  const compiled = compileExpression(syntax, reader.expressions);
  // What is wrong has been told, here or where the metric is declared.
  if (compiled === undefined) reader.broken = true;
  else if (compiled.constant !== undefined) {
    const message = `this is ${compiled.constant} for every weight and cannot rank them`;
    reader.report('metric/constant', syntax.span, message);
  } else {
    const name = syntax.kind === 'name' ? syntax.name : syntax.kind === 'call' ? syntax.callee.text : undefined;
    const metric = name !== undefined && definitions.metrics.has(name) ? name : undefined;
    const said = readGroup(syntax.group, reader.expressions.base, reader.context.findings);
    if (syntax.group && said === undefined) {
      reader.broken = true;
      return undefined;
    }
    const label = `${reader.label(syntax)}${said ? ` (group: ${said})` : ''}`;
    const group = said ?? (metric === undefined ? undefined : definitions.metrics.get(metric)?.group);
    return { label, metric, expression: compiled.expression, ...(group && { group }) };
  }
  return undefined;
}

export function readOperand(reader: PropertyReader, syntax: ExpressionSyntax): OperandName | undefined {
  const name = readOwnName(reader, syntax, 'an operand', '`W`', OPERAND_NAMES);
  if (name === undefined || !isOperandName(name)) return undefined;
  reader.site(syntax.span, { kind: 'operand', name });
  return name;
}

export function readOperation(reader: PropertyReader, syntax: ExpressionSyntax): OperationName | undefined {
  const name = readOwnName(reader, syntax, 'an operation', '`mul`', OPERATION_NAMES);
  if (name === undefined || !isOperationName(name)) return undefined;
  reader.site(syntax.span, { kind: 'operation', name });
  return name;
}

/** A name of the language's own; undefined where it is none of `names`, which is told. */
function readOwnName(
  reader: PropertyReader,
  syntax: ExpressionSyntax,
  what: string,
  example: string,
  names: readonly string[],
): string | undefined {
  if (syntax.kind !== 'name') {
    reader.report('property/type', syntax.span, `this has to be the name of ${what}, such as ${example}`);
    return undefined;
  }
  if (names.includes(syntax.name)) return syntax.name;
  const symbol = reader.context.names.get(syntax.name)?.symbol;
  if (symbol !== undefined) {
    reader.site(syntax.span, symbol);
    reader.report('name/wrong-kind', syntax.span, `\`${syntax.name}\` is ${withArticle(symbol.kind)}, not ${what}`);
    return undefined;
  }
  const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), nearestName(syntax.name, names));
  reader.report('name/unknown', syntax.span, `\`${syntax.name}\` is not ${what}${suffix}`, fixes);
  return undefined;
}

/** `50%`, `0.5`, `2:4`, or what a model may cost: `1.5x faster`. */
export function readSparsity(reader: PropertyReader, syntax: ExpressionSyntax): Sparsity | undefined {
  if (syntax.kind === 'quantity') return readBudget(reader, syntax);
  if (syntax.kind === 'ratio') {
    const sparsity = parseSparsity(syntax.text);
    if (sparsity === undefined) {
      const turned = syntax.text.split(':').reverse().join(':');
      const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), parseSparsity(turned) && turned);
      const message = `${syntax.text} does not prune: N:M keeps N of every M weights, 1 ≤ N < M ≤ ${MAX_GROUP}`;
      reader.report('sparsity/range', syntax.span, message + suffix, fixes);
    }
    return sparsity;
  }
  const isNegative = syntax.kind === 'negation' && syntax.operand.kind === 'percentage';
  const isPercentage = syntax.kind === 'percentage';
  const expected = 'a sparsity is a percentage, N:M, a share below 1 or a budget: `50%`, `2:4`, `0.5`, `1.5x faster`';
  const share = isPercentage ? shareOf(syntax) : isNegative ? -1 : readNumber(reader, syntax, expected);
  if (share === undefined) return undefined;
  if (share >= 0 && share < 1) return { kind: 'unstructured', share };
  if (isPercentage || isNegative) {
    const message = `${reader.source(syntax.span)} of a group cannot be removed: at least 0% and less than 100%`;
    reader.report('sparsity/range', syntax.span, message);
    return undefined;
  }
  const percentage = share >= 1 && share < 100 ? `${share}%` : undefined;
  const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), percentage);
  reader.report('sparsity/range', syntax.span, `a share is at least 0 and below 1${suffix}`, fixes);
  return undefined;
}

function readBudget(reader: PropertyReader, { span, text }: QuantitySyntax): Sparsity | undefined {
  const budget = parseBudget(text);
  if (budget) return { kind: 'budget', budget };
  const { suffix, ...fixes } = didYouMean(reader.at(span), nearestBudget(text));
  const forms = suffix === '' ? `: ${BUDGET_FORMS.map(({ example }) => `\`${example}\``).join(', ')}` : suffix;
  reader.report('sparsity/range', span, `\`${text}\` is no budget${forms}`, fixes);
  return undefined;
}

/** The value of an expression of numbers and parameters. @param expected told where it is something else */
export function readNumber(reader: PropertyReader, syntax: ExpressionSyntax, expected: string): number | undefined {
  const isExpression = !['percentage', 'ratio', 'quantity', 'text', 'list'].includes(syntax.kind);
  if (!isExpression) {
    reader.report('property/type', syntax.span, expected);
    return undefined;
  }
  const compiled = compileExpression(syntax, reader.expressions);
  if (compiled === undefined) {
    reader.broken = true;
    return undefined;
  }
  if (compiled.shape.length === 0) return compiled.constant;
  reader.report('property/type', syntax.span, `${expected}, and this is ${printShape(compiled.shape)}`);
  return undefined;
}

/** `30%` as 0.3. */
export function shareOf({ text }: PercentageSyntax): number {
  return parseFloat(text) / 100;
}
