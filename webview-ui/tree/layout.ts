import { hierarchy, tree } from 'd3-hierarchy';
import type { Direction } from '../../src/view/treeMessages.ts';
import type { TreeNode } from './nodes.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Nodes of one level are as wide as each other, all of them as high. */
export interface NodeSizes {
  /** By level, the root's first. */
  readonly widths: readonly number[];
  readonly height: number;
}

/** Where everything stands, in pixels from the upper left corner. */
export interface Layout extends Size {
  /** Upper left corners by the nodes' numbers. */
  readonly corners: readonly { readonly x: number; readonly y: number }[];
  /** SVG paths from each node but the root to its parent. */
  readonly links: readonly string[];
}

/** Pixels between a node and the next one across, and between one level and the next. */
const GAP = { across: 12, along: 28 };
/** Around the whole, for the outlines of the outermost nodes. */
const MARGIN = 4;

/** @param nodes the root first */
export function layOut(nodes: readonly TreeNode[], { widths, height }: NodeSizes, direction: Direction): Layout {
  const isRight = direction === 'right';
  const width = Math.max(...widths);
  const across = isRight ? height : width;
  const levels = widths.map((_, level) =>
    isRight
      ? widths.slice(0, level).reduce((sum, before) => sum + before + GAP.along, 0)
      : level * (height + GAP.along),
  );
  const root = hierarchy(nodes[0]!, ({ children }) => children);
  const placed = tree<TreeNode>()
    .nodeSize([across + GAP.across, 1])
    .separation(() => 1)(root);
  const points = new Map(
    placed.descendants().map(({ data, x }) => [data.index, { across: x, along: levels[data.level - 1]! }]),
  );
  const first = Math.min(...[...points.values()].map((point) => point.across));
  const corners = nodes.map(({ index }) => {
    const point = points.get(index)!;
    const [x, y] = isRight ? [point.along, point.across - first] : [point.across - first, point.along];
    return { x: x + MARGIN, y: y + MARGIN };
  });
  return {
    corners,
    links: nodes
      .slice(1)
      .map(({ index, parent }) => link(corners[parent!.index]!, corners[index]!, widths[parent!.level - 1]!, isRight)),
    width: Math.max(...nodes.map(({ index, level }) => corners[index]!.x + widths[level - 1]!)) + MARGIN,
    height: Math.max(...corners.map(({ y }) => y)) + height + MARGIN,
  };

  /** A curve that leaves and arrives at a right angle to the nodes' edges. */
  function link(
    from: { x: number; y: number },
    to: { x: number; y: number },
    fromWidth: number,
    right: boolean,
  ): string {
    if (right) {
      const [x0, y0, x1, y1] = [from.x + fromWidth, from.y + height / 2, to.x, to.y + height / 2];
      return `M${x0} ${y0}C${(x0 + x1) / 2} ${y0} ${(x0 + x1) / 2} ${y1} ${x1} ${y1}`;
    }
    const [x0, y0, x1, y1] = [from.x + width / 2, from.y + height, to.x + width / 2, to.y];
    return `M${x0} ${y0}C${x0} ${(y0 + y1) / 2} ${x1} ${(y0 + y1) / 2} ${x1} ${y1}`;
  }
}
