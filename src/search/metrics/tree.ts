import type { Expression } from '../../metric/expression.ts';

/** Pure edits of trees. Nodes are counted from 0 in the order of a walk from the root, a node before its arguments. */

/** A node with the nodes above it, counted from 1 for the root. */
export interface PlacedNode {
  readonly node: Expression;
  readonly depth: number;
}

/** All nodes in the order of the walk: the index of an entry is the number of the node. */
export function nodesOf(expression: Expression): readonly PlacedNode[] {
  const nodes: PlacedNode[] = [];
  const visit = (node: Expression, depth: number): void => {
    nodes.push({ node, depth });
    if (node.kind === 'operation') for (const argument of node.arguments) visit(argument, depth + 1);
  };
  visit(expression, 1);
  return nodes;
}

/** The tree with the node of that number, and all below it, replaced. */
export function replaceNode(expression: Expression, number: number, replacement: Expression): Expression {
  let count = -1;
  const visit = (node: Expression): Expression => {
    if (++count === number) {
      return replacement;
    }
    if (node.kind !== 'operation' || count > number) return node;
    return { ...node, arguments: node.arguments.map(visit) };
  };
  return visit(expression);
}
