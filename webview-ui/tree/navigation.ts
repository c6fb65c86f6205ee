import type { Direction } from '../../src/view/treeMessages.ts';
import type { TreeNode } from './nodes.ts';

/** The node that a key leads to from another; undefined where it leads nowhere. Arrows go as the tree is drawn. */
export function nodeByKey(
  nodes: readonly TreeNode[],
  from: TreeNode,
  key: string,
  direction: Direction,
): TreeNode | undefined {
  const [inward, outward, before, after] =
    direction === 'right'
      ? ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown']
      : ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'];
  switch (key) {
    case inward:
      return from.children[0];
    case outward:
      return from.parent;
    case before:
      return sameLevel(nodes, from).findLast(({ index }) => index < from.index);
    case after:
      return sameLevel(nodes, from).find(({ index }) => index > from.index);
    case 'Home':
      return nodes[0];
    case 'End':
      return nodes.at(-1);
    default:
      return undefined;
  }
}

/** Nodes of one level stand beside each other in the order of their numbers. */
function sameLevel(nodes: readonly TreeNode[], { level }: TreeNode): readonly TreeNode[] {
  return nodes.filter((node) => node.level === level);
}
