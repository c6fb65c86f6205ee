import { h } from '../shared/dom.ts';
import { histogram } from './histogram.ts';
import type { Direction } from '../../src/view/treeMessages.ts';
import type { NodeSizes, Size } from './layout.ts';
import { shapeText, spoken, type TreeNode } from './nodes.ts';
import { formatNonFinite, formatValue } from './words.ts';

/** What a node shows of itself: what it computes, its shape, or its name alone. */
export type NodeContent = 'numbers' | 'shapes' | 'names';

/**
 * How large the nodes of a tree are drawn, in pixels: as wide as the widest head needs to be (of its level, where levels stand side by
 * side), as high as there are lines. Nothing is measured, so that a thousand nodes cost no layout of the page.
 */
export function nodeSizes(nodes: readonly TreeNode[], content: NodeContent, direction: Direction): NodeSizes {
  const widths: number[] = [];
  for (const node of nodes) {
    const needed = Math.max(content === 'numbers' ? WITH_NUMBERS : 0, Math.min(headWidth(node, content), WIDEST));
    widths[node.level - 1] = Math.max(needed, widths[node.level - 1] ?? 0);
  }
  const warns = nodes.some(({ statistics }) => statistics && statistics.nonFinite > 0);
  const widest = Math.max(...widths);
  return {
    widths: direction === 'right' ? widths : widths.map(() => widest),
    height: content !== 'numbers' ? 30 : warns ? 96 : 80,
  };
}

/** Room for two numbers with an exponent; a longer head than the widest is cut off, and told in full by its title. */
const WITH_NUMBERS = 148;
const WIDEST = 204;

/** Of name, reference and shape in one line: padding, gaps, and the widths of characters in the usual fonts. */
function headWidth(node: TreeNode, content: NodeContent): number {
  const reference = node.reference === undefined ? 0 : node.reference.length + 4;
  const shape = content === 'names' ? 0 : 8 + 6.4 * shapeText(node).length;
  return Math.ceil(26 + 8.2 * (node.label.length + reference) + shape);
}

export interface NodeListeners {
  readonly onPick: (node: TreeNode) => void;
  readonly onOpen: (node: TreeNode) => void;
}

/** A node with what it computes. One of them takes the keyboard's focus: see `tabindex`. */
export function nodeElement(node: TreeNode, content: NodeContent, size: Size, listeners: NodeListeners): HTMLElement {
  const { label, statistics, reference, expression, children, level, parent, place } = node;
  const warns = statistics !== undefined && statistics.nonFinite > 0;
  const element = h(
    'div',
    {
      class: ['node', expression.kind, warns ? 'warns' : ''].join(' ').trim(),
      role: 'treeitem',
      tabindex: -1,
      'aria-label': spoken(node),
      'aria-level': level,
      'aria-posinset': place + 1,
      'aria-setsize': parent?.children.length ?? 1,
      'aria-expanded': children.length > 0 ? 'true' : undefined,
      'aria-selected': 'false',
      onclick: () => {
        listeners.onPick(node);
      },
      ondblclick: () => {
        listeners.onOpen(node);
      },
    },
    h(
      'div',
      { class: 'head' },
      h('span', { class: 'name formula' }, label),
      reference === undefined
        ? undefined
        : h('span', { class: 'reference formula', title: `stands for ${reference}` }, reference),
      content === 'names'
        ? undefined
        : h('span', { class: 'shape muted' }, expression.kind === 'number' ? '' : shapeText(node)),
    ),
    ...(content === 'numbers' ? numbers(node, size) : []),
  );
  element.style.width = `${size.width}px`;
  element.style.height = `${size.height}px`;
  return element;
}

function numbers({ statistics, expression }: TreeNode, size: Size): HTMLElement[] {
  if (!statistics || expression.kind === 'number') return [];
  const { minimum, maximum, mean, nonFinite } = statistics;
  const parts: HTMLElement[] = [];
  const picture = h('div', { class: 'picture' });
  picture.append(histogram(statistics.histogram, { width: size.width - 18, height: 20 }));
  parts.push(picture);
  if (minimum === null || maximum === null || mean === null) parts.push(h('div', { class: 'line' }, 'no finite value'));
  else if (minimum === maximum) parts.push(h('div', { class: 'line' }, `${formatValue(minimum)} everywhere`));
  else {
    parts.push(h('div', { class: 'line' }, `${formatValue(minimum)} … ${formatValue(maximum)}`));
    parts.push(h('div', { class: 'line muted' }, `mean ${formatValue(mean)}`));
  }
  if (nonFinite > 0) parts.push(h('div', { class: 'line warning' }, `⚠ ${formatNonFinite(nonFinite)} not finite`));
  return parts;
}
