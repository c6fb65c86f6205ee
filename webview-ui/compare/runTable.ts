import type { ComparisonRow, ComparisonTable } from '../../src/search/comparison/comparisonTable.ts';
import type { Pinned } from '../../src/search/comparison/pinned.ts';
import { fill, h } from '../shared/dom.ts';
import { swatch } from './runStyles.ts';
import type { RunStyle } from './runStyles.ts';

export interface RunTableView {
  readonly columns: ComparisonTable['columns'];
  /** Sorted and filtered. */
  readonly rows: readonly ComparisonRow[];
  readonly sort: { readonly key: string; readonly descending: boolean };
  readonly hidden: ReadonlySet<string>;
  readonly pinned: Pinned | undefined;
  readonly pointed: string | undefined;
  readonly styleOf: (folder: string) => RunStyle;
}

export interface RunTableEvents {
  readonly onSort: (key: string) => void;
  readonly onOpen: (folder: string) => void;
  readonly onPin: (folder: string) => void;
  readonly onHide: (folder: string, isHidden: boolean) => void;
  readonly onTags: (folder: string) => void;
  readonly onRemove: (folder: string) => void;
  readonly onPoint: (folder: string | undefined) => void;
}

/** One row a run: what it is, what it has come to, and how it was set where the runs are set differently. */
export class RunTable {
  readonly element: HTMLElement;
  private readonly table = h('table', { class: 'runs' });
  private readonly events: RunTableEvents;

  constructor(events: RunTableEvents) {
    this.events = events;
    this.element = h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of runs' },
      this.table,
    );
  }

  show(view: RunTableView): void {
    // The button that was pressed is made anew; whoever uses the keyboard stays where they were.
    const held = this.table.contains(document.activeElement) ? document.activeElement?.getAttribute('data-key') : null;
    fill(
      this.table,
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { class: 'handles' }, h('span', { class: 'spoken' }, 'shown, pinned')),
          ...view.columns.map((column) => this.head(column, view)),
        ),
      ),
      h('tbody', {}, ...view.rows.map((row) => this.row(row, view))),
    );
    if (held != null) this.table.querySelector<HTMLElement>(`[data-key="${CSS.escape(held)}"]`)?.focus();
  }

  private head(
    { key, title, isNumber, isSetting }: ComparisonTable['columns'][number],
    { sort }: RunTableView,
  ): HTMLElement {
    const isSorted = sort.key === key;
    return h(
      'th',
      {
        class: `${isNumber ? 'number' : ''}${isSetting ? ' setting' : ''}${key === 'run' ? ' first' : ''}`,
        scope: 'col',
        'aria-sort': isSorted ? (sort.descending ? 'descending' : 'ascending') : 'none',
      },
      h(
        'button',
        {
          class: 'plain',
          'data-key': `sort ${key}`,
          onclick: () => {
            this.events.onSort(key);
          },
        },
        title,
      ),
    );
  }

  private row(row: ComparisonRow, view: RunTableView): HTMLElement {
    const { folder, title } = row.run;
    const isHidden = view.hidden.has(folder);
    const isPinned = view.pinned?.kind === 'run' && view.pinned.folder === folder;
    const { events } = this;
    const shown = h('input', {
      ...{ type: 'checkbox', 'data-key': `show ${folder}`, checked: !isHidden },
      ...{ 'aria-label': `Show ${title}`, title: 'In the chart' },
      onchange: (event: Event) => {
        events.onHide(folder, !(event.target as HTMLInputElement).checked);
      },
    });
    const pin = h(
      'button',
      {
        ...{
          class: `plain pin${isPinned ? ' pinned' : ''}`,
          'data-key': `pin ${folder}`,
          'aria-pressed': String(isPinned),
        },
        ...{ 'aria-label': `Pin ${title}`, title: isPinned ? 'Compared with this' : 'Compare the others with this' },
        onclick: () => {
          events.onPin(folder);
        },
      },
      isPinned ? '◆' : '◇',
    );
    return h(
      'tr',
      {
        class: `${isHidden ? 'hidden' : ''}${view.pointed === folder ? ' pointed' : ''}`,
        onpointerenter: () => {
          events.onPoint(folder);
        },
        onpointerleave: () => {
          events.onPoint(undefined);
        },
      },
      h('td', { class: 'handles' }, shown, pin),
      ...view.columns.map((column) => this.cell(row, column, view)),
    );
  }

  private cell(
    { run, cells }: ComparisonRow,
    { key, isNumber, isSetting }: ComparisonTable['columns'][number],
    view: RunTableView,
  ): HTMLElement {
    const { text, why, isApart } = cells[key]!;
    const { events } = this;
    const { folder, title } = run;
    if (key === 'run') {
      const open = h(
        'button',
        {
          class: 'plain link',
          'data-key': `open ${folder}`,
          title: why ?? '',
          onclick: () => {
            events.onOpen(folder);
          },
        },
        text,
      );
      const remove = h(
        'button',
        {
          class: 'plain remove',
          'data-key': `remove ${folder}`,
          'aria-label': `Compare without ${title}`,
          title: 'Compare without it',
          onclick: () => {
            events.onRemove(folder);
          },
        },
        '×',
      );
      return h('th', { scope: 'row', class: 'first' }, swatch(view.styleOf(folder)), open, remove);
    }
    if (key === 'tags') {
      return h(
        'td',
        {},
        h(
          'button',
          {
            class: 'plain',
            'data-key': `tags ${folder}`,
            'aria-label': `Tags of ${title}: ${text}`,
            title: 'Edit tags…',
            onclick: () => {
              events.onTags(folder);
            },
          },
          text,
        ),
      );
    }
    const isCut = key === 'found' || key === 'note';
    const kind = `${isNumber ? 'number' : ''}${isSetting ? ' setting' : ''}${isCut ? ' cut' : ''}${isApart ? ' apart' : ''}${key === 'found' ? ' formula' : ''}`;
    return h('td', { class: kind, title: why ?? (isCut ? text : undefined) }, text);
  }
}
