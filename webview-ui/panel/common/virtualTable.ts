import { fill, h } from '../../shared/dom.ts';
import { columnGrip } from './columnGrip.ts';

export interface TableColumn<Key extends string> {
  readonly key: Key;
  readonly title: string;
  readonly isNumber: boolean;
  /** The one column that takes what room there is, and can be made wider than that. */
  readonly isWide?: true;
}

export interface TableOrder<Key extends string> {
  readonly sort: Key;
  readonly descending: boolean;
}

export interface VirtualTableOptions<Key extends string> {
  /** What the rows are, for a screen reader. */
  readonly label: string;
  readonly columns: readonly TableColumn<Key>[];
  readonly order: TableOrder<Key>;
  /** Class of the rows, for their columns' widths. */
  readonly kind: string;
  readonly row: (id: number) => TableRow;
  readonly onSort: (order: TableOrder<Key>) => void;
  readonly onSelect: (id: number) => void;
  /** Enter, or a double click. */
  readonly onOpen: (id: number) => void;
  /** Somebody wants the wide column to have so many pixels; undefined: as many as there is room for. */
  readonly onWiden?: (width: number | undefined) => void;
}

export interface TableRow {
  readonly class: string;
  readonly cells: readonly HTMLElement[];
}

/** Pixels; the style sheet says the same. */
const ROW_HEIGHT = 24;
/** Rows above and below those in sight that are there as well. */
const SPARE = 6;

/** Rows in an order that somebody else decides, however many: only those in sight are in the document. */
export class VirtualTable<Key extends string> {
  readonly element: HTMLElement;
  private readonly options: VirtualTableOptions<Key>;
  private readonly headers = new Map<Key, HTMLElement>();
  private readonly rows = h('div', { class: 'rows', role: 'rowgroup' });
  private order: TableOrder<Key>;
  private ids: readonly number[] = [];
  private nothing = '';
  /** Those in the document, by id. */
  private shown = new Map<number, HTMLElement>();
  private selected: number | undefined;

  constructor(options: VirtualTableOptions<Key>) {
    this.options = options;
    this.order = options.order;
    const head = { class: `row head ${options.kind}`, role: 'row', 'aria-rowindex': 1 };
    this.element = h(
      'div',
      { class: `table ${options.kind}s`, role: 'grid', tabindex: 0, 'aria-label': options.label },
      h('div', head, ...options.columns.map((column) => this.header(column))),
      this.rows,
    );
    this.element.addEventListener('scroll', () => {
      this.draw();
    });
    this.element.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    this.rows.addEventListener('click', (event) => {
      this.onRow(event, options.onSelect);
    });
    this.rows.addEventListener('dblclick', (event) => {
      this.onRow(event, options.onOpen);
    });
    this.markSorted();
  }

  /**
   * @param ids of the rows, in their order; another array where they are others
   * @param nothing what is said where there are none
   */
  show(ids: readonly number[], selected: number | undefined, nothing: string): void {
    const moved = selected !== this.selected;
    this.nothing = nothing;
    this.selected = selected;
    if (ids !== this.ids) {
      this.ids = ids;
      this.element.setAttribute('aria-rowcount', String(ids.length + 1));
      this.rows.style.height = `${ids.length * ROW_HEIGHT}px`;
    }
    this.draw();
    if (moved && selected !== undefined) this.reveal(ids.indexOf(selected));
  }

  /** @param meaning what the title stands for, in full: what a column shows may depend on what is searched for */
  retitle(key: Key, title: string, meaning: string): void {
    const button = this.headers.get(key)?.querySelector('button');
    if (!button || button.textContent === title) return;
    fill(button, title);
    button.title = `Sort by ${meaning}`;
  }

  /** @param width pixels of the wide column at least */
  widen(width: number | undefined): void {
    if (width === undefined) this.element.style.removeProperty('--wide');
    else this.element.style.setProperty('--wide', `${width}px`);
  }

  toTop(): void {
    this.element.scrollTop = 0;
  }

  /** Puts the rows in sight into the document. */
  private draw(): void {
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW_HEIGHT) - SPARE);
    const count = Math.ceil(this.element.clientHeight / ROW_HEIGHT) + 2 * SPARE;
    const ids = this.ids.slice(first, first + count);
    const rows = ids.map((id, i) => this.row(id, first + i));
    this.shown = new Map(ids.map((id, i) => [id, rows[i]!]));
    replaceOthers(this.rows, rows);
    const active = this.selected !== undefined && ids.includes(this.selected) ? `candidate-${this.selected}` : '';
    if (active === '') this.element.removeAttribute('aria-activedescendant');
    else this.element.setAttribute('aria-activedescendant', active);
    if (this.ids.length === 0) fill(this.rows, h('p', { class: 'muted nothing' }, this.nothing));
  }

  private row(id: number, index: number): HTMLElement {
    const { class: name, cells } = this.options.row(id);
    const element = this.shown.get(id) ?? h('div', { role: 'row', id: `candidate-${id}`, 'data-id': id });
    element.className = `row ${this.options.kind} ${name}`;
    element.setAttribute('aria-rowindex', String(index + 2));
    element.setAttribute('aria-selected', id === this.selected ? 'true' : 'false');
    element.style.top = `${index * ROW_HEIGHT}px`;
    const isSame =
      cells.length === element.childElementCount && cells.every((each, i) => each.isEqualNode(element.children[i]!));
    if (!isSame) fill(element, ...cells);
    return element;
  }

  private header({ key, title, isNumber, isWide }: TableColumn<Key>): HTMLElement {
    const sort = (): void => {
      this.order = { sort: key, descending: this.order.sort === key ? !this.order.descending : false };
      this.toTop();
      this.markSorted();
      this.options.onSort(this.order);
    };
    const header = h(
      'div',
      { role: 'columnheader', class: isNumber ? 'number' : undefined },
      h('button', { type: 'button', onclick: sort, title: `Sort by ${title}` }, title),
    );
    const { onWiden } = this.options;
    if (isWide && onWiden) {
      const place = this.options.columns.findIndex((column) => column.key === key) + 1;
      const needed = (): number =>
        Math.max(
          ...[...this.rows.querySelectorAll(`.row > :nth-child(${place})`)].map((each) => each.scrollWidth),
          header.offsetWidth,
        );
      header.append(columnGrip(title, { width: () => header.offsetWidth, needed, onWiden }));
    }
    this.headers.set(key, header);
    return header;
  }

  private markSorted(): void {
    for (const [key, header] of this.headers) {
      const direction = this.order.descending ? 'descending' : 'ascending';
      header.setAttribute('aria-sort', key === this.order.sort ? direction : 'none');
    }
  }

  private onRow(event: MouseEvent, act: (id: number) => void): void {
    const id = (event.target as HTMLElement).closest<HTMLElement>('.row')?.dataset['id'];
    if (id !== undefined) act(Number(id));
  }

  private onKey(event: KeyboardEvent): void {
    if (event.target !== this.element) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2);
    const at = this.selected === undefined ? -1 : this.ids.indexOf(this.selected);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.ids.length - 1,
    };
    if (event.key === 'Enter' && this.selected !== undefined) {
      this.options.onOpen(this.selected);
      event.preventDefault();
      return;
    }
    const wanted = steps[event.key];
    if (wanted === undefined || this.ids.length === 0) return;
    event.preventDefault();
    const index = Math.min(this.ids.length - 1, Math.max(0, wanted));
    this.reveal(index);
    this.options.onSelect(this.ids[index]!);
  }

  private reveal(index: number): void {
    if (index < 0) return;
    const { scrollTop, clientHeight } = this.element;
    const top = index * ROW_HEIGHT;
    // The header covers the first row's height.
    const room = clientHeight - 2 * ROW_HEIGHT;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top > scrollTop + room) this.element.scrollTop = top - room;
  }
}

/**
 * Puts children in the place of those that are there, and leaves alone those that stay: an element that was taken out and put back would
 * lose the click that is being made on it.
 */
function replaceOthers(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const staying = new Set<Element>(children);
  for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

/** A cell of a row. */
export function cell(text: string, isNumber = false, title?: string): HTMLElement {
  return h('div', { role: 'gridcell', class: isNumber ? 'number' : undefined, title }, text);
}
