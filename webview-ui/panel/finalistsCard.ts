import { formatChange, formatPerplexity } from '../../src/experiment/format.ts';
import type { FinalistEvent } from '../../src/experiment/searchEvents.ts';
import { fill, h } from '../shared/dom.ts';
import { formulaOf } from './formulas.ts';
import type { PanelData } from './panelData.ts';

/** The best metrics and the baselines, evaluated again as they are written, also on text that the search never saw. */
export class FinalistsCard {
  readonly element: HTMLElement;
  private readonly body = h('div', { class: 'scroll' });
  private readonly onSelect: (id: number) => void;
  private shown = '';

  constructor(onSelect: (id: number) => void) {
    this.onSelect = onSelect;
    this.element = h('section', { class: 'card wide', 'aria-label': 'Finalists' }, h('h2', {}, 'Finalists'), this.body);
  }

  render({ search, run }: PanelData): void {
    const { finalists } = search;
    this.element.hidden = finalists.length === 0;
    const shown = JSON.stringify([run?.folder, finalists.length]);
    if (shown === this.shown) return;
    this.shown = shown;
    const hasTest = finalists.some(({ test }) => test !== undefined);
    const sorted = [...finalists].sort((a, b) => keyOf(a) - keyOf(b));
    const dense = finalists.find(({ result }) => result !== undefined)?.result?.densePerplexity;
    const denseTest = finalists.find(({ test }) => test !== undefined)?.test?.densePerplexity;
    fill(
      this.body,
      h(
        'p',
        { class: 'muted' },
        `Evaluated again as they are written, ${finalists[0]?.result?.calibrate ?? 'sequential'} calibration, beside the baselines${hasTest ? '; the unseen text played no part in the search' : ''}. Differences are against dense.`,
      ),
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...['metric', 'formula'].map((name) => h('th', { scope: 'col' }, name)),
            h('th', { scope: 'col', class: 'number', colspan: 2 }, 'fitness text'),
            ...(hasTest ? [h('th', { scope: 'col', class: 'number', colspan: 2 }, 'unseen text')] : []),
          ),
        ),
        h(
          'tbody',
          {},
          ...sorted.map((finalist) => this.row(finalist, hasTest)),
          h(
            'tr',
            { class: 'muted' },
            h('th', { scope: 'row' }, 'dense'),
            h('td', {}, 'nothing pruned'),
            ...perplexityCells(dense, dense),
            ...(hasTest ? perplexityCells(denseTest, denseTest) : []),
          ),
        ),
      ),
    );
  }

  private row({ id, metric, expression, result, test, error }: FinalistEvent, hasTest: boolean): HTMLElement {
    const name =
      id === undefined
        ? metric
        : h(
            'button',
            {
              type: 'button',
              class: 'link',
              onclick: () => {
                this.onSelect(id);
              },
            },
            `#${id}`,
          );
    const formula = formulaOf({ expression });
    return h(
      'tr',
      { class: id === undefined ? 'baseline' : undefined },
      h('th', { scope: 'row' }, name, id === undefined ? h('span', { class: 'muted' }, ' baseline') : undefined),
      h('td', { class: 'formula cut', title: formula }, formula),
      ...(error
        ? [h('td', { colspan: hasTest ? 4 : 2 }, `failed: ${error.actual}`)]
        : [
            ...perplexityCells(result?.perplexity, result?.densePerplexity),
            ...(hasTest ? perplexityCells(test?.perplexity, test?.densePerplexity) : []),
          ]),
    );
  }
}

function perplexityCells(perplexity: number | undefined, dense: number | undefined): HTMLElement[] {
  return [
    h('td', { class: 'number' }, perplexity === undefined ? '–' : formatPerplexity(perplexity)),
    h(
      'td',
      { class: 'number muted' },
      perplexity === undefined || dense === undefined || perplexity === dense ? '' : formatChange(perplexity, dense),
    ),
  ];
}

function keyOf({ result, test }: FinalistEvent): number {
  return test?.perplexity ?? result?.perplexity ?? Infinity;
}
