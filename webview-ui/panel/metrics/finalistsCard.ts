import type { MetricFinalist } from '../../../src/search/metrics/events.ts';
import { measuredFinalist } from '../../../src/search/lifecycle/measuredFinalist.ts';
import type { AnyFitness } from '../../../src/search/lifecycle/objective.ts';
import { fill, h } from '../../shared/dom.ts';
import { finalistTable } from '../common/finalistTable.ts';
import type { FinalistRow } from '../common/finalistTable.ts';
import { formulaOf } from './formulas.ts';
import type { PanelData } from '../common/panelData.ts';

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
    fill(
      this.body,
      h(
        'p',
        { class: 'muted' },
        `Perplexity, evaluated again as they are written, ${finalists[0]?.result?.calibrate ?? 'sequential'} calibration, beside the baselines${hasTest ? '; the unseen text played no part in the search' : ''}. Differences are against dense.`,
      ),
      finalistTable(
        finalists.map((finalist) => this.row(finalist, measuredFinalist(finalist, search))),
        ['metric', 'formula'],
        search.opening,
      ),
    );
  }

  private row(
    { id, name, expression, result, test, error }: MetricFinalist,
    measured: AnyFitness | undefined,
  ): FinalistRow {
    const formula = formulaOf({ expression });
    const what = h('td', { class: 'formula cut', title: formula }, formula);
    const isBaseline = id === undefined;
    return { name: isBaseline ? name : this.link(id), isBaseline, what, result, test, error, measured };
  }

  private link(id: number): HTMLElement {
    const select = (): void => {
      this.onSelect(id);
    };
    return h('button', { type: 'button', class: 'link', onclick: select }, `#${id}`);
  }
}
