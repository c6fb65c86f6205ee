import type { NodeStatistics } from '../../src/experiment/inspectionSchema.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { isShapeProblem, printShape, type Shape, shapeOf } from '../../src/metric/shape.ts';
import type { ShownForm } from '../../src/view/treeMessages.ts';
import { formatValue, shapeWords, shareWords, symbolicWords } from './words.ts';

/** A node of the tree as it is drawn and read out. */
export interface TreeNode {
  /** Place in a walk from the root, a node before its arguments. */
  readonly index: number;
  readonly expression: Expression;
  /** Operation, operand or number. */
  readonly label: string;
  readonly parent: TreeNode | undefined;
  readonly children: readonly TreeNode[];
  /** 1 for the root. */
  readonly level: number;
  /** Place among its siblings, from 0. */
  readonly place: number;
  /** The metric or parameter that stands here in the text. */
  readonly reference: string | undefined;
  readonly shape: Shape | undefined;
  readonly statistics: NodeStatistics | undefined;
}

/** All nodes, the root first. @param statistics in the same order, of exactly this expression */
export function treeNodes(form: ShownForm, statistics: readonly NodeStatistics[] | undefined): readonly TreeNode[] {
  const nodes: TreeNode[] = [];
  const visit = (expression: Expression, parent: TreeNode | undefined, place: number): TreeNode => {
    const index = nodes.length;
    const children: TreeNode[] = [];
    const shape = shapeOf(expression);
    const node: TreeNode = {
      index,
      expression,
      label: labelOf(expression),
      parent,
      children,
      level: (parent?.level ?? 0) + 1,
      place,
      reference: form.references[index],
      shape: isShapeProblem(shape) ? undefined : shape,
      statistics: statistics?.[index],
    };
    nodes.push(node);
    if (expression.kind === 'operation') {
      for (const [i, argument] of expression.arguments.entries()) children.push(visit(argument, node, i));
    }
    return node;
  };
  visit(form.expression, undefined, 0);
  return nodes;
}

/** `[688, 256]` on a layer, `[out, in]` before. */
export function shapeText({ statistics, shape }: TreeNode): string {
  if (statistics) return `[${statistics.shape.join(', ')}]`;
  return shape ? printShape(shape) : '';
}

/** What a screen reader says: "mms of G, 688 by 256, from 0 to 1". */
export function spoken(node: TreeNode): string {
  const { label, children, statistics, reference, shape } = node;
  const parts = [children.length === 0 ? label : `${label} of ${children.map((child) => child.label).join(' and ')}`];
  if (reference !== undefined) parts.push(`stands for ${reference}`);
  if (!statistics) return [...parts, ...(shape ? [symbolicWords(shape)] : [])].join(', ');
  if (node.expression.kind === 'number') return parts.join(', ');
  parts.push(shapeWords(statistics.shape));
  const { minimum, maximum, mean, nonFinite } = statistics;
  if (minimum === null || maximum === null || mean === null) return [...parts, 'no finite value'].join(', ');
  parts.push(
    minimum === maximum
      ? `${formatValue(minimum)} everywhere`
      : `from ${formatValue(minimum)} to ${formatValue(maximum)}`,
  );
  if (minimum !== maximum) parts.push(`mean ${formatValue(mean)}`);
  if (nonFinite > 0) parts.push(`${shareWords(nonFinite)} not finite`);
  return parts.join(', ');
}

function labelOf(expression: Expression): string {
  switch (expression.kind) {
    case 'operand':
      return expression.name;
    case 'number':
      return String(expression.value).replace('-', '−');
    case 'operation':
      return expression.operation;
  }
}
