import { denseFitness } from '../../../src/search/lifecycle/objective.ts';
import { fitnessColumn, fitnessName } from '../common/fitnessWords.ts';
import { formatChange, formatGap } from '../../../src/experiment/format.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { bestOf } from '../../../src/search/metrics/state.ts';
import { fill, h } from '../../shared/dom.ts';
import { formulaOf } from './formulas.ts';
import type { PanelData } from '../common/panelData.ts';
import { DEFAULT_QUERY, queryMetrics } from './tableModel.ts';
import type { SortKey, TableQuery } from './tableModel.ts';
import { cell, VirtualTable } from '../common/virtualTable.ts';
import type { TableColumn, TableRow } from '../common/virtualTable.ts';
import {
  digitsOf,
  OPERATORS,
  OUTCOMES,
  outcomeInFull,
  outcomeInShort,
  fitnessInShort,
  plural,
} from '../common/words.ts';

export interface CandidateTableEvents {
  readonly onSelect: (id: number) => void;
  readonly onInsert: (id: number) => void;
  readonly onWiden: (width: number | undefined) => void;
}

const COLUMNS: readonly TableColumn<SortKey>[] = [
  { key: 'id', title: '#', isNumber: true },
  { key: 'formula', title: 'formula', isNumber: false, isWide: true },
  { key: 'fitness', title: 'fitness', isNumber: true },
  { key: 'size', title: 'size', isNumber: true },
  { key: 'generation', title: 'gen.', isNumber: true },
  { key: 'operator', title: 'made by', isNumber: false },
  { key: 'parents', title: 'parents', isNumber: false },
  { key: 'outcome', title: 'outcome', isNumber: false },
];

/** All candidates, sorted and filtered. */
export class CandidateTable {
  readonly element: HTMLElement;
  /** Said aloud while somebody filters, not whenever there is one more. */
  private readonly count = h('span', { class: 'muted', 'aria-live': 'off' });
  private readonly search = h('input', {
    type: 'search',
    placeholder: 'filter: formula, crossover, #12',
    'aria-label': 'Filter candidates by formula, operator or number',
  });
  private readonly outcome = h(
    'select',
    { 'aria-label': 'Filter candidates by outcome' },
    ...Object.entries({ any: 'all outcomes', ...OUTCOMES }).map(([value, text]) => h('option', { value }, text)),
  );
  private readonly table: VirtualTable<SortKey>;
  private query = DEFAULT_QUERY;
  private data: PanelData | undefined;
  private selected: number | undefined;
  private order: readonly number[] = [];
  private known = '';
  /** Of fitness: as many as it takes to tell the best of those that were evaluated apart. */
  private digits = 4;

  constructor(events: CandidateTableEvents) {
    this.table = new VirtualTable({
      label: 'Candidates; Enter inserts the selected one into the file',
      kind: 'candidate',
      columns: COLUMNS,
      order: DEFAULT_QUERY,
      row: (id) => this.row(id),
      onSort: (order) => {
        this.ask(order);
      },
      onSelect: events.onSelect,
      onOpen: events.onInsert,
      onWiden: events.onWiden,
    });
    this.element = h(
      'section',
      { class: 'card wide', 'aria-label': 'Candidates' },
      h('div', { class: 'title' }, h('h2', {}, 'Candidates'), this.count, this.search, this.outcome),
      this.table.element,
    );
    this.search.addEventListener('input', () => {
      this.ask({ text: this.search.value });
    });
    this.outcome.addEventListener('change', () => {
      this.ask({ outcome: this.outcome.value as TableQuery['outcome'] });
    });
  }

  /** @param column pixels of the formulas at least */
  render(data: PanelData, selected: number | undefined, column: number | undefined): void {
    this.table.widen(column);
    this.table.retitle('fitness', fitnessColumn(data.search.opening), fitnessName(data.search.opening));
    this.data = data;
    this.selected = selected;
    this.refresh();
  }

  private ask(change: Partial<TableQuery>): void {
    this.query = { ...this.query, ...change };
    this.table.toTop();
    const { text, outcome } = this.query;
    this.count.setAttribute('aria-live', text === '' && outcome === 'any' ? 'off' : 'polite');
    this.refresh();
  }

  private refresh(): void {
    const candidates = this.data?.search.candidates ?? [];
    const known = JSON.stringify([this.data?.run?.folder, candidates.length, this.query]);
    if (known !== this.known) {
      this.known = known;
      this.order = queryMetrics(candidates, this.query);
      this.digits = digitsOf(candidates, this.data?.search.byId);
      const all = plural(candidates.length, 'candidate');
      fill(this.count, this.order.length === candidates.length ? all : `${this.order.length} of ${all}`);
    }
    const nothing = candidates.length > 0 ? 'No candidate matches the filter.' : 'No candidate yet.';
    this.table.show(this.order, this.selected, nothing);
  }

  private row(id: number): TableRow {
    const { byId, opening } = this.data!.search;
    const candidate = byId.get(id)!;
    const { outcome, size, generation, operator, parents } = candidate;
    const formula = formulaOf(candidate);
    const fitness = fitnessOf(candidate);
    const change = fitness === undefined ? undefined : this.differences(fitness, denseFitness(opening));
    return {
      class: outcome.kind,
      cells: [
        cell(String(id), true),
        h('div', { role: 'gridcell', class: 'formula', title: formula }, formula),
        cell(fitnessInShort(candidate, byId, this.digits), true, change),
        cell(String(size), true),
        cell(String(generation + 1), true),
        cell(OPERATORS[operator]),
        cell(
          parents.map((parent) => `#${parent}`).join(' '),
          false,
          parents.map((parent) => this.formulaAt(parent)).join('\n'),
        ),
        cell(outcomeInShort(outcome), false, outcomeInFull(outcome, opening?.blocks ?? 0, byId)),
      ],
    };
  }

  /** Against dense, and how far from the best. */
  private differences(fitness: number, dense: number | undefined): string {
    const best = this.data && bestOf(this.data.search);
    const lowest = best && fitnessOf(best);
    return [
      ...(dense === undefined ? [] : [`${formatChange(fitness, dense)} against dense`]),
      ...(lowest === undefined || lowest === fitness ? [] : [`${formatGap(fitness, lowest)} against the best`]),
    ].join(', ');
  }

  private formulaAt(id: number): string {
    const candidate = this.data?.search.byId.get(id);
    return candidate ? `#${id} ${formulaOf(candidate)}` : '';
  }
}
