import type { Expression } from '../../metric/expression.ts';
import { sizeOf } from '../../metric/measure.ts';
import { isOperandName } from '../../metric/operands.ts';
import { isOperationName } from '../../metric/operations.ts';
import { shift } from './diagnostics.ts';
import type { CompiledDocument } from './document.ts';
import type { ExpressionSyntax, Span } from '../syntax/syntax.ts';

/** Where in the text a node of a closed expression comes from. */
export interface NodeOrigin {
  /** What is inside a metric or parameter that is referred to has the span of the reference. Offsets are the file's. */
  readonly span: Span;
  /** Name of the metric or parameter that stands there in the place of this node. */
  readonly reference?: string;
}

export interface TracedMetric {
  readonly expression: Expression;
  /** Root first, a node before its arguments. */
  readonly origins: readonly NodeOrigin[];
}

/** A metric with the place of each of its nodes; undefined where there is no such metric, or it is broken. */
export function traceMetric(document: CompiledDocument, name: string): TracedMetric | undefined {
  const declaration = document.declarations.find((found) => found.kind === 'metric' && found.name === name);
  if (declaration?.kind !== 'metric' || declaration.expression === undefined || declaration.broken) return undefined;
  const piece = document.parsed.declarations.find(({ start }) => start === declaration.start);
  const syntax = piece?.tree?.syntax;
  if (piece === undefined || syntax?.kind !== 'metric') return undefined;
  const { expression } = declaration;
  return { expression, origins: [...trace(syntax.body, expression, piece.base)] };
}

/** Walks syntax and expression in step: they have the same operations in the same places but for what names stand for. */
function* trace(syntax: ExpressionSyntax, expression: Expression, base: number): Generator<NodeOrigin> {
  const inner = argumentsOf(syntax);
  const span = shift(syntax.span, base);
  if (inner === undefined) {
    const reference = referredTo(syntax);
    yield reference === undefined ? { span } : { span, reference };
    for (let i = 1; i < sizeOf(expression); i++) yield { span };
    return;
  }
  yield { span };
  if (expression.kind !== 'operation') return;
  for (const [index, argument] of inner.entries()) yield* trace(argument, expression.arguments[index]!, base);
}

/** The arguments of an operation as written; undefined for what is no operation in the text. */
function argumentsOf(syntax: ExpressionSyntax): readonly ExpressionSyntax[] | undefined {
  switch (syntax.kind) {
    case 'binary':
      return [syntax.left, syntax.right];
    case 'negation':
      // `-2` is one number.
      return syntax.operand.kind === 'number' ? undefined : [syntax.operand];
    case 'call':
      return isOperationName(syntax.callee.text) ? syntax.arguments.map(({ value }) => value) : undefined;
    case 'name':
    case 'number':
    case 'percentage':
    case 'ratio':
    case 'quantity':
    case 'text':
    case 'list':
    case 'missing':
      return undefined;
  }
}

function referredTo(syntax: ExpressionSyntax): string | undefined {
  if (syntax.kind === 'call') return syntax.callee.text;
  return syntax.kind === 'name' && !isOperandName(syntax.name) ? syntax.name : undefined;
}
