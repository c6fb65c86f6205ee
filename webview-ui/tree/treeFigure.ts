import type { TreeFigure } from '../../src/figures/figureSchema.ts';
import type { Direction } from '../../src/view/treeMessages.ts';
import { shapeText } from './nodes.ts';
import type { TreeNode } from './nodes.ts';

/** The tree as it is shown, for print: shapes stand below names where they are known of a layer. */
export function treeFigure(title: string, nodes: readonly TreeNode[], direction: Direction): TreeFigure | undefined {
  if (nodes.length === 0) return undefined;
  return {
    kind: 'tree',
    title,
    direction,
    nodes: nodes.map((node) => ({
      label: node.label,
      ...(node.statistics && node.expression.kind !== 'number' && { note: shapeText(node) }),
      parent: node.parent?.index ?? null,
    })),
  };
}
