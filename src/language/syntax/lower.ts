import { GrammarUtils } from 'langium';
import type { AstNode } from 'langium';
import type * as Ast from './generated/ast.ts';
import type {
  ArgumentSyntax,
  DeclarationSyntax,
  ExpressionSyntax,
  Identifier,
  MetricParameterSyntax,
  PropertySyntax,
  Span,
  TextSyntax,
} from './syntax.ts';

/** Langium's tree of a declaration as ours. After a syntax error any part can be missing, whatever the types promise. */
export function lowerDeclaration(node: Ast.Declaration): DeclarationSyntax {
  const span = spanOf(node);
  const name = node.$type === 'Defaults' ? undefined : identifierOf(node, 'name');
  switch (node.$type) {
    case 'Binding':
      return { kind: node.keyword, span, name, path: pathOf(node) };
    case 'Parameter':
      return { kind: 'parameter', span, name, value: lowerExpression(node.value, span) };
    case 'Metric': {
      const parameters = node.parameters.map(lowerParameter).filter((parameter) => parameter !== undefined);
      return { kind: 'metric', span, name, parameters, body: lowerExpression(node.body, span) };
    }
    case 'Block':
      return { kind: node.keyword, span, name };
    case 'Defaults':
      return { kind: 'defaults', span, name: undefined };
  }
}

/** @returns undefined where the tree has not even a name for the property */
export function lowerProperty(node: Ast.Property): PropertySyntax | undefined {
  const key = identifierOf(node, 'key');
  const span = spanOf(node);
  return key && { span, key, values: node.values.map((value) => lowerExpression(value, span)) };
}

/** @param around the span to blame where the expression is missing */
export function lowerExpression(node: Maybe<Ast.Expression>, around: Span): ExpressionSyntax {
  return lower(node, around).syntax;
}

const EXPRESSIONS: ReadonlySet<string> = new Set<Ast.Expression['$type']>([
  'Binary',
  'Call',
  'Group',
  'List',
  'Literal',
  'Name',
  'Negation',
  'Power',
  'Text',
]);

type Maybe<T> = T | undefined;

/** `outer` includes the parentheses around the expression, which the expression itself does not know. */
interface Lowered {
  readonly syntax: ExpressionSyntax;
  readonly outer: Span;
}

function lower(node: Maybe<Ast.Expression>, around: Span): Lowered {
  // Where nothing could be made out, the tree holds nodes of no particular type.
  if (node === undefined || !EXPRESSIONS.has(node.$type)) {
    const span = { start: around.end, end: around.end };
    return { syntax: { kind: 'missing', span }, outer: span };
  }
  if (node.$type === 'Group') return { syntax: lower(node.inner, spanOf(node)).syntax, outer: spanOf(node) };
  const syntax = lowerNode(node);
  return { syntax, outer: syntax.span };
}

function lowerNode(node: Exclude<Ast.Expression, Ast.Group>): ExpressionSyntax {
  const span = spanOf(node);
  switch (node.$type) {
    case 'Name':
      return nameOf(node, span);
    case 'Call': {
      const callee = identifierOf(node.callee, 'name');
      const args = node.arguments.map(lowerArgument);
      return callee ? { kind: 'call', span, callee, arguments: args } : { kind: 'missing', span };
    }
    case 'Text':
      return lowerText(node, span);
    case 'Literal':
      return lowerLiteral(node, span);
    case 'List':
      return { kind: 'list', span, values: node.values.map((value) => lowerExpression(value, span)) };
    case 'Negation':
      return { kind: 'negation', span, operand: lowerExpression(node.operand, span) };
    case 'Power':
      return lowerBinary('^', node.base, node.exponent, span);
    case 'Binary':
      // All operators of a chain share one node of Langium's concrete tree, so the span is that of the two sides.
      return lowerBinary(node.operator, node.left, node.right, span);
  }
}

/** After a syntax error the node can hold more text than its name. */
function nameOf(node: Ast.Name, around: Span): ExpressionSyntax {
  const name = identifierOf(node, 'name');
  return name ? { kind: 'name', span: name.span, name: name.text } : { kind: 'missing', span: around };
}

function lowerBinary(
  operator: Ast.Binary['operator'] | '^',
  leftNode: Maybe<Ast.Expression>,
  rightNode: Maybe<Ast.Expression>,
  around: Span,
): ExpressionSyntax {
  const left = lower(leftNode, around);
  const right = lower(rightNode, around);
  const span = { start: left.outer.start, end: Math.max(left.outer.end, right.outer.end) };
  return { kind: 'binary', span, operator, left: left.syntax, right: right.syntax };
}

function lowerLiteral(node: Partial<Ast.Literal>, span: Span): ExpressionSyntax {
  if (node.number !== undefined) return { kind: 'number', span, value: Number(node.number) };
  if (node.percentage !== undefined) return { kind: 'percentage', span, text: node.percentage };
  if (node.ratio !== undefined) return { kind: 'ratio', span, text: node.ratio.replaceAll(/\s/g, '') };
  return { kind: 'missing', span };
}

function lowerText(
  { text, arguments: given }: Partial<Ast.Text> & Pick<Ast.Text, 'arguments'>,
  span: Span,
): ExpressionSyntax {
  return text === undefined
    ? { kind: 'missing', span }
    : { kind: 'text', span, text, arguments: given.map(lowerArgument) };
}

function lowerArgument(node: Ast.Argument): ArgumentSyntax {
  const span = spanOf(node);
  return { name: identifierOf(node, 'name'), value: lowerExpression(node.value, span), span };
}

function lowerParameter(node: Ast.MetricParameter): MetricParameterSyntax | undefined {
  const name = identifierOf(node, 'name');
  return name && { name, value: lowerExpression(node.value, spanOf(node)) };
}

function pathOf(node: Ast.Binding): TextSyntax | undefined {
  const cst = GrammarUtils.findNodeForProperty(node.$cstNode, 'path');
  return cst && { kind: 'text', span: { start: cst.offset, end: cst.end }, text: cst.text.slice(1, -1), arguments: [] };
}

function identifierOf(node: AstNode, property: 'name' | 'key'): Identifier | undefined {
  const cst = GrammarUtils.findNodeForProperty(node.$cstNode, property);
  return cst && { text: cst.text, span: { start: cst.offset, end: cst.end } };
}

function spanOf(node: AstNode): Span {
  const cst = node.$cstNode;
  return cst ? { start: cst.offset, end: cst.end } : { start: 0, end: 0 };
}
