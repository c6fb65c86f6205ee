import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import type { Pinned } from '../../src/search/comparison/pinned.ts';
import { fill, h, say } from '../shared/dom.ts';
import type { Looking } from './looking.ts';

export interface ToolbarEvents {
  readonly changed: () => void;
  readonly onAdd: () => void;
  readonly onCopy: (format: 'markdown' | 'csv') => void;
  readonly onFigure: (format: 'svg' | 'pdf') => void;
}

/** What is compared with what, and which rows are seen. */
export class Toolbar {
  readonly element: HTMLElement;
  private readonly title = h('h1');
  private readonly tags: HTMLSelectElement;
  private readonly pins: HTMLSelectElement;
  private readonly text: HTMLInputElement;
  private readonly looking: Looking;
  private offered = '';

  constructor(looking: Looking, { changed, onAdd, onCopy, onFigure }: ToolbarEvents) {
    this.looking = looking;
    this.text = h('input', {
      ...{
        type: 'search',
        placeholder: 'Filter: words of names, settings, notes',
        'aria-label': 'Filter runs by words',
      },
      value: looking.text,
      oninput: () => {
        looking.text = this.text.value;
        changed();
      },
    });
    this.tags = h('select', {
      'aria-label': 'Filter runs by tag',
      onchange: () => {
        looking.tag = this.tags.value;
        changed();
      },
    });
    this.pins = h('select', {
      ...{ 'aria-label': 'What the runs are compared with', title: 'What the runs are compared with' },
      onchange: () => {
        looking.pinned = this.pins.value === '' ? undefined : (JSON.parse(this.pins.value) as Pinned);
        changed();
      },
    });
    const button = (text: string, title: string, onclick: () => void): HTMLElement =>
      h('button', { title, onclick }, text);
    this.element = h(
      'header',
      {},
      h('div', { class: 'about' }, this.title),
      h('div', { class: 'actions' }, this.text, this.tags, h('label', {}, 'pinned ', this.pins)),
      h(
        'div',
        { class: 'actions' },
        button('Add Run…', 'Compare more runs', onAdd),
        button('Copy Markdown', 'The table as it stands here, with all columns', () => {
          onCopy('markdown');
        }),
        button('Copy CSV', 'The same, with all digits', () => {
          onCopy('csv');
        }),
        button('SVG', 'The chart for print', () => {
          onFigure('svg');
        }),
        button('PDF', 'The chart for print', () => {
          onFigure('pdf');
        }),
      ),
    );
  }

  /** @param seen rows that are not filtered away */
  show(runs: readonly ComparedRun[], seen: number): void {
    const { looking } = this;
    say(this.title, seen === runs.length ? `${runs.length} runs` : `${seen} of ${runs.length} runs`);
    const tags = [...new Set(runs.flatMap(({ tags: of }) => of))].sort();
    const names = [...new Set(runs.flatMap(({ baselines }) => baselines.map(({ name }) => name)))];
    const now = JSON.stringify([tags, names, runs.map(({ folder, title }) => [folder, title])]);
    // Whoever has a list open keeps it.
    if (now !== this.offered) {
      this.offered = now;
      fill(this.tags, h('option', { value: '' }, 'any tag'), ...tags.map((tag) => h('option', { value: tag }, tag)));
      const pin = (pinned: Pinned, text: string): HTMLElement => h('option', { value: JSON.stringify(pinned) }, text);
      const group = (label: string, options: readonly HTMLElement[]): HTMLElement | undefined =>
        options.length === 0 ? undefined : h('optgroup', { label }, ...options);
      fill(
        this.pins,
        h('option', { value: '' }, 'nothing'),
        group(
          'Baselines of each run',
          names.map((name) => pin({ kind: 'baseline', name }, name)),
        ),
        group(
          'Runs',
          runs.map(({ folder, title }) => pin({ kind: 'run', folder }, title)),
        ),
      );
    }
    this.tags.hidden = tags.length === 0;
    this.tags.value = looking.tag;
    this.pins.value = looking.pinned ? JSON.stringify(looking.pinned) : '';
  }
}
