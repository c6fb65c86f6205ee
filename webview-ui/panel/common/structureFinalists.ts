import { formatShare } from '../../../src/experiment/format.ts';
import type { FinalistEvent, SearchOpening } from '../../../src/search/lifecycle/events.ts';
import type { AnyFitness } from '../../../src/search/lifecycle/objective.ts';
import { fill, h } from '../../shared/dom.ts';
import { finalistTable } from './finalistTable.ts';
import type { FinalistRow } from './finalistTable.ts';
import { sparkline } from './sparkline.ts';

/** The best and the baselines, evaluated again outside the search, also on text that the search never saw. */
export class StructureFinalists {
  readonly element: HTMLElement;
  private readonly body = h('div', { class: 'scroll' });
  private readonly onSelect: (id: number) => void;
  private shown = '';

  constructor(onSelect: (id: number) => void) {
    this.onSelect = onSelect;
    this.element = h('section', { class: 'card', 'aria-label': 'Finalists' }, h('h2', {}, 'Finalists'), this.body);
  }

  /**
   * @param awaited what will stand here
   * @param baselines their names; what is not among them and has no id is what the search has found
   * @param ratesOf of those that are configurations: what each block loses
   * @param measuredOf what the search has of each
   */
  render(
    {
      finalists,
      opening,
    }: { readonly finalists: readonly FinalistEvent[]; readonly opening: SearchOpening | undefined },
    awaited: string,
    baselines: readonly string[],
    ratesOf: (finalist: FinalistEvent) => readonly number[] | undefined,
    measuredOf: (finalist: FinalistEvent) => AnyFitness | undefined,
  ): void {
    const shown = JSON.stringify(finalists.map(({ id, name }) => [id, name]));
    if (shown === this.shown) return;
    this.shown = shown;
    if (finalists.length === 0) {
      fill(
        this.body,
        h('p', { class: 'muted' }, `At the end ${awaited} and the baselines are evaluated like every evaluation.`),
      );
      return;
    }
    const hasTest = finalists.some(({ test }) => test !== undefined);
    const unseen = hasTest ? ' The unseen text played no part in the search.' : '';
    const note = `Perplexity, evaluated like every evaluation. Differences are against dense.${unseen}`;
    const rows = finalists.map((finalist) => ({
      ...this.row(finalist, ratesOf(finalist), baselines),
      measured: measuredOf(finalist),
    }));
    fill(this.body, finalistTable(rows, ['', 'pruned by block'], opening), h('p', { class: 'muted' }, note));
  }

  private row(
    finalist: FinalistEvent,
    given: readonly number[] | undefined,
    baselines: readonly string[],
  ): Omit<FinalistRow, 'measured'> {
    const { id, name, result, test, error } = finalist;
    const rates = given ?? result?.structure?.blocks.map(({ removed }) => removed) ?? result?.rates;
    const words = rates?.map((rate) => formatShare(rate)).join(', ');
    const what = h('td', { class: 'drawn', title: words }, rates ? sparkline(rates, Math.max(0.5, ...rates)) : '–');
    const isBaseline = id === undefined && baselines.includes(name);
    return { name: id === undefined ? name : this.link(id), isBaseline, what, result, test, error };
  }

  private link(id: number): HTMLElement {
    const select = (): void => {
      this.onSelect(id);
    };
    return h('button', { type: 'button', class: 'link', onclick: select }, `#${id}`);
  }
}
