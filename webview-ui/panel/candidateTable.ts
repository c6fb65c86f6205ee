import { formatChange, formatPerplexity } from '../../src/experiment/format.ts';
import type { Candidate } from '../../src/experiment/searchEvents.ts';
import { fill, h } from '../shared/dom.ts';
import { formulaOf } from './formulas.ts';
import type { PanelData } from './panelData.ts';
import { DEFAULT_QUERY, queryCandidates } from './tableModel.ts';
import type { SortKey, TableQuery } from './tableModel.ts';
import { OPERATORS, outcomeInFull, outcomeInShort, plural } from './words.ts';

export interface CandidateTableEvents {
  readonly onSelect: (id: number) => void;
  readonly onInsert: (id: number) => void;
}

interface Column {
  readonly key: SortKey;
  readonly title: string;
  readonly isNumber: boolean;
}

const COLUMNS: readonly Column[] = [
  { key: 'id', title: '#', isNumber: true },
  { key: 'formula', title: 'formula', isNumber: false },
  { key: 'perplexity', title: 'perplexity', isNumber: true },
  { key: 'size', title: 'size', isNumber: true },
  { key: 'generation', title: 'gen.', isNumber: true },
  { key: 'operator', title: 'made by', isNumber: false },
  { key: 'parents', title: 'parents', isNumber: false },
  { key: 'outcome', title: 'outcome', isNumber: false },
];

const OUTCOMES: readonly (readonly [TableQuery['outcome'], string])[] = [
  ['any', 'all outcomes'],
  ['full', 'in full'],
  ['stopped', 'stopped early'],
  ['shared', 'same ranking as another'],
  ['invalid', 'invalid'],
];

/** Pixels; the style sheet says the same. */
const ROW_HEIGHT = 24;
/** Rows above and below those in sight that are there as well. */
const SPARE = 6;

/** All candidates, sorted and filtered, however many: only rows in sight are in the document. */
export class CandidateTable {
  readonly element: HTMLElement;
  private readonly events: CandidateTableEvents;
  private readonly count = h('span', { class: 'muted', role: 'status' });
  private readonly search = h('input', {
    type: 'search',
    placeholder: 'filter: formula, crossover, #12',
    'aria-label': 'Filter candidates by formula, operator or number',
  });
  private readonly outcome = h(
    'select',
    { 'aria-label': 'Filter candidates by outcome' },
    ...OUTCOMES.map(([value, text]) => h('option', { value }, text)),
  );
  private readonly headers = new Map<SortKey, HTMLElement>();
  private readonly rows = h('div', { class: 'rows', role: 'rowgroup' });
  private readonly scroller: HTMLElement;
  private query = DEFAULT_QUERY;
  private data: PanelData | undefined;
  private selected: number | undefined;
  private order: number[] = [];
  private known = '';

  constructor(events: CandidateTableEvents) {
    this.events = events;
    this.scroller = h(
      'div',
      {
        class: 'table',
        role: 'grid',
        tabindex: 0,
        'aria-label': 'Candidates; Enter inserts the selected one into the file',
      },
      h('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 }, ...COLUMNS.map((column) => this.header(column))),
      this.rows,
    );
    this.element = h(
      'section',
      { class: 'card wide', 'aria-label': 'Candidates' },
      h('div', { class: 'title' }, h('h2', {}, 'Candidates'), this.count, this.search, this.outcome),
      this.scroller,
    );
    this.search.addEventListener('input', () => {
      this.ask({ text: this.search.value });
    });
    this.outcome.addEventListener('change', () => {
      this.ask({ outcome: this.outcome.value as TableQuery['outcome'] });
    });
    this.scroller.addEventListener('scroll', () => {
      this.draw();
    });
    this.scroller.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    this.rows.addEventListener('click', (event) => {
      this.onRow(event, this.events.onSelect);
    });
    this.rows.addEventListener('dblclick', (event) => {
      this.onRow(event, this.events.onInsert);
    });
    this.markSorted();
  }

  render(data: PanelData, selected: number | undefined): void {
    this.data = data;
    const moved = selected !== this.selected;
    this.selected = selected;
    this.refresh();
    if (moved && selected !== undefined) this.reveal(this.order.indexOf(selected));
  }

  private ask(change: Partial<TableQuery>): void {
    this.query = { ...this.query, ...change };
    this.scroller.scrollTop = 0;
    this.markSorted();
    this.refresh();
  }

  private refresh(): void {
    const candidates = this.data?.search.candidates ?? [];
    const known = JSON.stringify([this.data?.run?.folder, candidates.length, this.query]);
    if (known !== this.known) {
      this.known = known;
      this.order = queryCandidates(candidates, this.query);
      const all = plural(candidates.length, 'candidate');
      fill(this.count, this.order.length === candidates.length ? all : `${this.order.length} of ${all}`);
      this.scroller.setAttribute('aria-rowcount', String(this.order.length + 1));
      this.rows.style.height = `${this.order.length * ROW_HEIGHT}px`;
    }
    this.draw();
  }

  /** Puts the rows in sight into the document. */
  private draw(): void {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW_HEIGHT) - SPARE);
    const count = Math.ceil(this.scroller.clientHeight / ROW_HEIGHT) + 2 * SPARE;
    const ids = this.order.slice(first, first + count);
    fill(this.rows, ...ids.map((id, i) => this.row(this.data!.search.byId.get(id)!, first + i)));
    const active = this.selected !== undefined && ids.includes(this.selected) ? `candidate-${this.selected}` : '';
    if (active === '') this.scroller.removeAttribute('aria-activedescendant');
    else this.scroller.setAttribute('aria-activedescendant', active);
    if (this.order.length === 0)
      fill(
        this.rows,
        h(
          'p',
          { class: 'muted nothing' },
          this.data?.search.candidates.length ? 'No candidate matches the filter.' : 'No candidate yet.',
        ),
      );
  }

  private row(candidate: Candidate, index: number): HTMLElement {
    const { id, outcome, size, generation, operator, parents } = candidate;
    const cell = (text: string, isNumber = false, title?: string): HTMLElement =>
      h('div', { role: 'gridcell', class: isNumber ? 'number' : undefined, title }, text);
    const formula = formulaOf(candidate);
    const dense = this.data?.search.opening?.densePerplexity;
    const perplexity = outcome.kind === 'invalid' ? '' : formatPerplexity(outcome.perplexity);
    const change =
      outcome.kind === 'invalid' || dense === undefined
        ? undefined
        : `${formatChange(outcome.perplexity, dense)} against dense`;
    const element = h(
      'div',
      {
        class: `row ${outcome.kind}`,
        role: 'row',
        id: `candidate-${id}`,
        'data-id': id,
        'aria-rowindex': index + 2,
        'aria-selected': id === this.selected ? 'true' : 'false',
      },
      cell(String(id), true),
      h('div', { role: 'gridcell', class: 'formula', title: formula }, formula),
      // What was not evaluated in full is an estimate, or another's.
      cell(outcome.kind === 'stopped' ? `≈ ${perplexity}` : perplexity, true, change),
      cell(String(size), true),
      cell(String(generation + 1), true),
      cell(OPERATORS[operator]),
      cell(
        parents.map((parent) => `#${parent}`).join(' '),
        false,
        parents.map((parent) => this.formulaAt(parent)).join('\n'),
      ),
      cell(
        outcomeInShort(outcome),
        false,
        outcomeInFull(outcome, this.data!.search.opening?.blocks ?? 0, this.data!.search.byId),
      ),
    );
    element.style.top = `${index * ROW_HEIGHT}px`;
    return element;
  }

  private formulaAt(id: number): string {
    const candidate = this.data?.search.byId.get(id);
    return candidate ? `#${id} ${formulaOf(candidate)}` : '';
  }

  private header({ key, title, isNumber }: Column): HTMLElement {
    const sort = (): void => {
      this.ask({ sort: key, descending: this.query.sort === key ? !this.query.descending : false });
    };
    const header = h(
      'div',
      { role: 'columnheader', class: isNumber ? 'number' : undefined },
      h('button', { type: 'button', onclick: sort, title: `Sort by ${title}` }, title),
    );
    this.headers.set(key, header);
    return header;
  }

  private markSorted(): void {
    for (const [key, header] of this.headers) {
      const isSorted = key === this.query.sort;
      header.setAttribute('aria-sort', isSorted ? (this.query.descending ? 'descending' : 'ascending') : 'none');
    }
  }

  private onRow(event: MouseEvent, act: (id: number) => void): void {
    const id = (event.target as HTMLElement).closest<HTMLElement>('.row')?.dataset['id'];
    if (id !== undefined) act(Number(id));
  }

  private onKey(event: KeyboardEvent): void {
    if (event.target !== this.scroller) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW_HEIGHT) - 2);
    const at = this.selected === undefined ? -1 : this.order.indexOf(this.selected);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.order.length - 1,
    };
    if (event.key === 'Enter' && this.selected !== undefined) {
      this.events.onInsert(this.selected);
      event.preventDefault();
      return;
    }
    const wanted = steps[event.key];
    if (wanted === undefined || this.order.length === 0) return;
    event.preventDefault();
    const index = Math.min(this.order.length - 1, Math.max(0, wanted));
    this.reveal(index);
    this.events.onSelect(this.order[index]!);
  }

  private reveal(index: number): void {
    if (index < 0) return;
    const { scrollTop, clientHeight } = this.scroller;
    const top = index * ROW_HEIGHT;
    // The header covers the first row's height.
    const room = clientHeight - 2 * ROW_HEIGHT;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top > scrollTop + room) this.scroller.scrollTop = top - room;
  }
}
