import { OPERANDS } from '../../src/metric/operands.ts';
import { OPERATIONS } from '../../src/metric/operations.ts';
import { printInfix } from '../../src/metric/print.ts';
import { fill, h } from '../shared/dom.ts';
import { histogram } from './histogram.ts';
import { shapeText, type TreeNode } from './nodes.ts';
import { formatNonFinite, formatValue } from './words.ts';

const PICTURE = { width: 240, height: 48 };

/** What is known about the node at hand, below the tree: its formula, what it means, and its numbers. */
export class Details {
  readonly element = h('section', { class: 'details', 'aria-label': 'Node' });

  show(node: TreeNode | undefined): void {
    this.element.hidden = node === undefined;
    if (!node) return;
    const { statistics, expression } = node;
    const { formula, documentation } = meaningOf(node);
    fill(
      this.element,
      h(
        'div',
        { class: 'meaning' },
        h('code', { title: printInfix(expression) }, printInfix(expression)),
        h('p', { class: 'muted' }, formula === '' ? documentation : `${formula}: ${documentation}`),
      ),
      statistics && expression.kind !== 'number' ? numbers(node) : undefined,
    );
  }
}

function numbers(node: TreeNode): HTMLElement {
  const { minimum, maximum, mean, nonFinite, histogram: counts } = node.statistics!;
  const rows: [string, string][] = [['shape', shapeText(node)]];
  if (minimum !== null && maximum !== null && mean !== null) {
    rows.push(['min', formatValue(minimum)], ['mean', formatValue(mean)], ['max', formatValue(maximum)]);
  }
  rows.push(['not finite', nonFinite > 0 ? `⚠ ${formatNonFinite(nonFinite)}` : 'none']);
  const list = h('dl', {});
  for (const [term, value] of rows) list.append(h('div', {}, h('dt', { class: 'muted' }, term), h('dd', {}, value)));
  const picture = h('div', { class: 'picture', title: 'Heights go with the square root of the counts' });
  picture.append(histogram(counts, PICTURE));
  return h('div', { class: 'numbers' }, picture, list);
}

function meaningOf({ expression }: TreeNode): { readonly formula: string; readonly documentation: string } {
  switch (expression.kind) {
    case 'operand':
      return OPERANDS[expression.name];
    case 'operation':
      return OPERATIONS[expression.operation];
    case 'number':
      return { formula: '', documentation: 'A number.' };
  }
}
