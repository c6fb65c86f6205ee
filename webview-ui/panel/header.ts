import { fill, h } from '../shared/dom.ts';
import type { RunState } from '../../src/extension/search/panelMessages.ts';
import type { PanelData } from './panelData.ts';
import { figuresOf } from '../../src/search/figures.ts';
import { baseName, METHODS, roughly, sparsityWords, STATES } from './words.ts';

export type HeaderAction = 'pause' | 'resume' | 'stop' | 'png' | 'csv' | 'json';

interface Button {
  readonly action: HeaderAction;
  readonly label: string;
  readonly title: string;
  readonly isPrimary?: boolean;
}

const EXPORTS: readonly Button[] = [
  { action: 'png', label: 'PNG', title: 'Save both charts as a picture' },
  { action: 'csv', label: 'CSV', title: 'Save all candidates as a table' },
  { action: 'json', label: 'JSON', title: 'Save the plan, all candidates, generations and finalists' },
];

const PAUSE: Button = { action: 'pause', label: 'Pause', title: 'Finish what is being evaluated, then wait' };
const STOP: Button = {
  action: 'stop',
  label: 'Stop',
  title: 'End the worker now; everything that was evaluated is kept, and the run can be resumed',
};
const RESUME: Button = { action: 'resume', label: 'Resume', title: 'Go on where it ended', isPrimary: true };

/** What can be done in which state; a total table. */
const BUTTONS: Readonly<Record<RunState['kind'], readonly Button[]>> = {
  starting: [STOP],
  running: [PAUSE, STOP],
  pausing: [STOP],
  paused: [RESUME],
  interrupted: [RESUME],
  finished: [],
  failed: [RESUME],
  elsewhere: [],
};

/** One line: what is searched, how far it is, how long still, and the buttons. */
export class Header {
  readonly element: HTMLElement;
  private readonly onAction: (action: HeaderAction) => void;
  private readonly name = h('h1', {});
  private readonly what = h('span', {});
  private readonly progress = h('span', { class: 'progress', role: 'status' });
  private readonly bar = h('progress', { max: 1, value: 0, 'aria-label': 'Generations that are through' });
  private readonly buttons = h('div', { class: 'actions' });
  private shown = '';

  constructor(onAction: (action: HeaderAction) => void) {
    this.onAction = onAction;
    this.element = h(
      'header',
      {},
      h('div', { class: 'about' }, this.name, this.what),
      h('div', { class: 'steer' }, this.progress, this.bar, this.buttons),
      h(
        'div',
        { class: 'actions', role: 'group', 'aria-label': 'Export' },
        h('span', { class: 'muted', 'aria-hidden': 'true' }, 'Export'),
        ...EXPORTS.map((button) => this.button(button)),
      ),
    );
  }

  render(data: PanelData): void {
    const { run, state } = data;
    if (!run) return;
    const { generations, status } = data.search;
    const { plan } = run;
    fill(this.name, plan.name);
    const seeds = plan.seeds.length === 0 ? [] : [`from ${plan.seeds.map(({ metric }) => metric).join(', ')}`];
    fill(
      this.what,
      [METHODS[plan.search.method], sparsityWords(plan.sparsity), baseName(plan.model), ...seeds]
        .map((part) => ` · ${part}`)
        .join(''),
    );
    const planned = plan.search.generations;
    const parts = [
      ...(state && state.kind !== 'running' ? [STATES[state.kind]] : []),
      ...(generations.length > 0 || state?.kind === 'running'
        ? [`generation ${Math.min(planned, generations.length + (isOver(data) ? 0 : 1))} / ${planned}`]
        : []),
      ...(state?.kind === 'running' ? [timeLeft(data)] : []),
    ];
    fill(this.progress, parts.filter((part) => part !== '').join(' · '));
    this.bar.value = figuresOf(data.search, plan.search).progress;
    this.bar.hidden = status === 'finished';
    const shown = state?.kind ?? '';
    if (shown === this.shown) return;
    this.shown = shown;
    const focused = this.buttons.contains(document.activeElement);
    fill(this.buttons, ...(state ? BUTTONS[state.kind] : []).map((button) => this.button(button)));
    if (focused) this.buttons.querySelector('button')?.focus();
  }

  private button({ action, label, title, isPrimary }: Button): HTMLElement {
    return h(
      'button',
      {
        type: 'button',
        title,
        class: isPrimary ? 'primary' : undefined,
        'data-action': action,
        onclick: () => {
          this.onAction(action);
        },
      },
      label,
    );
  }
}

/** All generations are through, or a budget has ended them. */
function isOver({ search, run }: PanelData): boolean {
  const { status, finalists, generations } = search;
  return (
    status === 'finished' || finalists.length > 0 || generations.length >= (run?.plan.search.generations ?? Infinity)
  );
}

function timeLeft(data: PanelData): string {
  const { search, run } = data;
  if (!run) return '';
  if (isOver(data)) {
    const all = run.plan.search.finalists + search.baselines.length;
    return `evaluating finalists, ${search.finalists.length} of about ${all}`;
  }
  const { secondsLeft } = figuresOf(search, run.plan.search);
  return secondsLeft === undefined ? '' : `${roughly(secondsLeft)} left`;
}
