import { hierarchy, tree } from 'd3-hierarchy';
import type { Expression } from '../../../src/metric/expression.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { h, svg } from '../../shared/dom.ts';

const ROW = 30;
const COLUMN = 58;
const NODE = { width: 46, height: 20 } as const;

/** A metric's tree, drawn top down. The formula beside it says the same to those who cannot see it. */
export function metricTree(expression: string): Element {
  let root: Expression;
  try {
    root = parsePrefix(expression);
  } catch {
    return h('p', { class: 'muted' }, 'This metric uses operations that this version does not know.');
  }
  const laidOut = tree<Expression>().nodeSize([COLUMN, ROW + NODE.height])(
    hierarchy(root, (node) => (node.kind === 'operation' ? [...node.arguments] : null)),
  );
  const nodes = laidOut.descendants();
  const left = Math.min(...nodes.map(({ x }) => x)) - NODE.width / 2 - 2;
  const right = Math.max(...nodes.map(({ x }) => x)) + NODE.width / 2 + 2;
  const bottom = Math.max(...nodes.map(({ y }) => y)) + NODE.height + 2;
  const drawing = svg(
    'svg',
    {
      class: 'tree',
      viewBox: `${left} -2 ${right - left} ${bottom + 2}`,
      // Never larger than its text is meant to be, never wider than there is room.
      width: Math.ceil(right - left),
      role: 'img',
      'aria-label': 'Syntax tree of the metric',
    },
    ...laidOut.links().map(({ source, target }) =>
      svg('path', {
        class: 'edge',
        d: `M${source.x},${source.y + NODE.height}V${source.y + NODE.height + 8}L${target.x},${target.y - 8}V${target.y}`,
      }),
    ),
    ...nodes.map(({ x, y, data }) =>
      svg(
        'g',
        { class: data.kind === 'operation' ? 'node' : 'node leaf' },
        svg('rect', {
          x: x - NODE.width / 2,
          y,
          width: NODE.width,
          height: NODE.height,
          rx: data.kind === 'operation' ? 2 : NODE.height / 2,
        }),
        svg('text', { x, y: y + NODE.height / 2 }, nameOf(data)),
      ),
    ),
  );
  return drawing;
}

function nameOf(node: Expression): string {
  switch (node.kind) {
    case 'operand':
      return node.name;
    case 'number':
      return String(Number(node.value.toPrecision(4)));
    case 'operation':
      return node.operation;
  }
}
