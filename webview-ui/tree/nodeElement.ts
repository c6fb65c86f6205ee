import { h } from '../shared/dom.ts';
import { histogram } from './histogram.ts';
import type { Size } from './layout.ts';
import { shapeText, spoken, type TreeNode } from './nodes.ts';
import { formatNonFinite, formatValue } from './words.ts';

/** How large every node of a tree is drawn, by what there is to say about them. Pixels; the style sheet says the same. */
export function nodeSize(nodes: readonly TreeNode[], hasStatistics: boolean): Size {
  if (!hasStatistics) return { width: 144, height: 30 };
  const warns = nodes.some(({ statistics }) => statistics && statistics.nonFinite > 0);
  return { width: 204, height: warns ? 82 : 66 };
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
  const isFinite = minimum !== null && maximum !== null && mean !== null;
  parts.push(
    isFinite
      ? h(
          'div',
          { class: 'range' },
          h(
            'span',
            {},
            minimum === maximum
              ? `${formatValue(minimum)} everywhere`
              : `${formatValue(minimum)} … ${formatValue(maximum)}`,
          ),
          minimum === maximum ? undefined : h('span', { class: 'muted' }, `mean ${formatValue(mean)}`),
        )
      : h('div', { class: 'range' }, h('span', {}, 'no finite value')),
  );
  if (nonFinite > 0) parts.push(h('div', { class: 'warning' }, `⚠ ${formatNonFinite(nonFinite)} not finite`));
  return parts;
}
