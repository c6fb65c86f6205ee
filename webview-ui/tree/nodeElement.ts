import { h } from '../shared/dom.ts';
import { histogram } from './histogram.ts';
import type { Size } from './layout.ts';
import { shapeText, spoken, type TreeNode } from './nodes.ts';
import { formatNonFinite, formatValue } from './words.ts';

/**
 * How large every node of a tree is drawn, in pixels: as wide as the widest head needs to be, as high as there are lines. Nothing is
 * measured, so that a thousand nodes cost no layout of the page.
 */
export function nodeSize(nodes: readonly TreeNode[], hasStatistics: boolean): Size {
  const needed = Math.max(...nodes.map((node) => headWidth(node)));
  if (!hasStatistics) return { width: Math.min(needed, WIDEST), height: 30 };
  const warns = nodes.some(({ statistics }) => statistics && statistics.nonFinite > 0);
  return { width: Math.max(WITH_NUMBERS, Math.min(needed, WIDEST)), height: warns ? 96 : 80 };
}

/** Room for two numbers with an exponent; a longer head than the widest is cut off, and told in full by its title. */
const WITH_NUMBERS = 148;
const WIDEST = 204;

/** Of name, reference and shape in one line: padding, gaps, and the widths of characters in the usual fonts. */
function headWidth(node: TreeNode): number {
  const reference = node.reference === undefined ? 0 : node.reference.length + 2;
  return Math.ceil(34 + 8.2 * (node.label.length + reference) + 6.4 * shapeText(node).length);
}

export interface NodeListeners {
  readonly onPick: (node: TreeNode) => void;
  readonly onOpen: (node: TreeNode) => void;
}

/** A node with what it computes. One of them takes the keyboard's focus: see `tabindex`. */
export function nodeElement(node: TreeNode, hasStatistics: boolean, size: Size, listeners: NodeListeners): HTMLElement {
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
      h('span', { class: 'shape muted' }, expression.kind === 'number' ? '' : shapeText(node)),
    ),
    ...(hasStatistics ? numbers(node, size) : []),
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
