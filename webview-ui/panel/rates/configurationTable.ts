import { denseFitness } from '../../../src/search/lifecycle/objective.ts';
import { fitnessColumn, fitnessName } from '../common/fitnessWords.ts';
import { formatChange } from '../../../src/experiment/format.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { droppedText } from '../../../src/search/rates/configuration.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { fill, h } from '../../shared/dom.ts';
import { sparkline } from '../common/sparkline.ts';
import { cell, VirtualTable } from '../common/virtualTable.ts';
import type { TableColumn, TableRow } from '../common/virtualTable.ts';
import { digitsOf, fitnessInShort, plural, stoppedInFull } from '../common/words.ts';
import { DEFAULT_CONFIGURATIONS, queryConfigurations } from './configurationQuery.ts';
import type { ConfigurationKey, ConfigurationQuery } from './configurationQuery.ts';
import { outcomeWords, RATE_OPERATORS, ratesWords } from './rateWords.ts';

const COLUMNS: readonly TableColumn<ConfigurationKey>[] = [
  { key: 'id', title: '#', isNumber: true },
  { key: 'rates', title: 'rates by block', isNumber: false },
  { key: 'fitness', title: 'fitness', isNumber: true },
  { key: 'generation', title: 'gen.', isNumber: true },
  { key: 'operator', title: 'made by', isNumber: false },
  { key: 'parents', title: 'parents', isNumber: false },
  { key: 'repaired', title: 'repaired', isNumber: false },
  { key: 'outcome', title: 'outcome', isNumber: false },
];

/** All configurations, sorted and filtered. */
export class ConfigurationTable {
  readonly element: HTMLElement;
  /** Said aloud while somebody filters, not whenever there is one more. */
  private readonly count = h('span', { class: 'muted', 'aria-live': 'off' });
  private readonly filter = h('input', {
    type: 'search',
    'aria-label': 'Filter configurations by what made them, or number',
  });
  private readonly table: VirtualTable<ConfigurationKey>;
  private query = DEFAULT_CONFIGURATIONS;
  private rates: RateState | undefined;
  private selected: number | undefined;
  private order: readonly number[] = [];
  private known = '';
  /** Highest rate of all, the top of the sparklines. */
  private top = 0;
  /** Of fitness: as many as it takes to tell the best apart. */
  private digits = 4;

  constructor(onSelect: (id: number) => void) {
    this.table = new VirtualTable({
      label: 'Configurations of pruning rates',
      kind: 'configuration',
      columns: COLUMNS,
      order: DEFAULT_CONFIGURATIONS,
      row: (id) => this.row(id),
      onSort: (order) => {
        this.ask(order);
      },
      onSelect,
      onOpen: onSelect,
    });
    this.element = h(
      'section',
      { class: 'card wide', 'aria-label': 'Configurations' },
      h('div', { class: 'title' }, h('h2', {}, 'Configurations'), this.count, this.filter),
      this.table.element,
    );
    this.filter.addEventListener('input', () => {
      this.ask({ text: this.filter.value });
    });
  }

  /** @param isAsked whether a language model may have proposed some: only its lists are repaired */
  render(rates: RateState, selected: number | undefined, isAsked: boolean): void {
    this.element.classList.toggle('unasked', !isAsked);
    this.filter.placeholder = `filter: ${isAsked ? 'mutated, repaired' : 'stopped early'}, #12`;
    this.table.retitle('fitness', fitnessColumn(rates.opening), fitnessName(rates.opening));
    this.rates = rates;
    this.selected = selected;
    this.refresh();
  }

  private ask(change: Partial<ConfigurationQuery>): void {
    this.query = { ...this.query, ...change };
    this.table.toTop();
    this.count.setAttribute('aria-live', this.query.text === '' ? 'off' : 'polite');
    this.refresh();
  }

  private refresh(): void {
    const all = this.rates?.candidates ?? [];
    const known = JSON.stringify([all.length, this.query, this.rates?.opening?.fingerprint]);
    if (known !== this.known) {
      this.known = known;
      this.order = queryConfigurations(all, this.query);
      this.top = all.reduce((top, { rates }) => Math.max(top, ...rates), 0);
      this.digits = digitsOf(all, this.rates?.byId);
      const words = plural(all.length, 'configuration');
      fill(this.count, this.order.length === all.length ? words : `${this.order.length} of ${words}`);
    }
    const nothing = all.length > 0 ? 'No configuration matches the filter.' : 'No configuration yet.';
    this.table.show(this.order, this.selected, nothing);
  }

  private row(id: number): TableRow {
    const { byId, opening } = this.rates!;
    const configuration = byId.get(id)!;
    const { rates, dropped, generation, operator, parents, repaired, outcome } = configuration;
    const fitness = fitnessOf(configuration);
    const dense = denseFitness(opening);
    const change =
      fitness === undefined || dense === undefined ? undefined : `${formatChange(fitness, dense)} against dense`;
    return {
      class: outcome.kind,
      cells: [
        cell(String(id), true),
        h(
          'div',
          { role: 'gridcell', class: 'sparkCell', title: ratesWords(configuration) },
          sparkline(rates, this.top),
          dropped && h('span', { class: 'muted' }, droppedText(dropped)),
        ),
        cell(fitnessInShort(configuration, byId, this.digits), true, change),
        cell(String(generation), true),
        cell(RATE_OPERATORS[operator]),
        cell(parents.map((parent) => `#${parent}`).join(' ')),
        cell(repaired ? 'repaired' : '', false, repaired ? 'The list was put onto mean and range' : undefined),
        cell(
          outcomeWords(configuration),
          false,
          outcome.kind === 'stopped' ? stoppedInFull(outcome, opening?.blocks ?? 0) : outcomeWords(configuration),
        ),
      ],
    };
  }
}
