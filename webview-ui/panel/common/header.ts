import { fitnessWords } from '../../../src/search/fitnessWords.ts';
import { subjectWords } from '../../../src/search/rates/configuration.ts';
import { fill, h, say } from '../../shared/dom.ts';
import type { PanelRun, RunActivity } from '../../../src/view/panelMessages.ts';
import type { RunPlan } from '../../../src/search/kinds.ts';
import { scoreText, structureScoreText } from '../../../src/experiment/planned.ts';
import { runSparsity } from '../../../src/search/runMethod.ts';
import type { PanelData } from './panelData.ts';
import { progressOf } from './progress.ts';
import { sparsityWords, STATES } from './words.ts';
import { inputName } from '../../../src/experiment/hubName.ts';

export type HeaderAction = 'pause' | 'resume' | 'stop' | 'png' | 'csv' | 'json';

interface Button {
  readonly action: HeaderAction;
  readonly label: string;
  readonly title: string;
  readonly isPrimary?: boolean;
}

const EXPORTS: readonly Button[] = [
  { action: 'png', label: 'PNG', title: 'Save the charts as a picture' },
  { action: 'csv', label: 'CSV', title: 'Save all that was evaluated as a table' },
  { action: 'json', label: 'JSON', title: 'Save the plan and everything that was found' },
];

const PAUSE: Button = { action: 'pause', label: 'Pause', title: 'Finish what is being evaluated, then wait' };
const STOP: Button = {
  action: 'stop',
  label: 'Stop',
  title: 'End the worker now; everything that was evaluated is kept, and the run can be resumed',
};
const RESUME: Button = { action: 'resume', label: 'Resume', title: 'Go on where it ended', isPrimary: true };

/** What can be done in which state; a total table. */
const BUTTONS: Readonly<Record<RunActivity['kind'], readonly Button[]>> = {
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
  private readonly note = h('p', { class: 'note', hidden: true });
  private readonly progress = h('span', { class: 'progress' });
  /** A screen reader is told when the state changes, not every step. */
  private readonly spoken = h('span', { class: 'spoken', role: 'status' });
  private readonly bar = h('progress', { max: 1, value: 0, 'aria-label': 'Share of the run that is through' });
  private readonly buttons = h('div', { class: 'actions' });
  private shown = '';

  constructor(onAction: (action: HeaderAction) => void) {
    this.onAction = onAction;
    this.element = h(
      'header',
      {},
      h('div', { class: 'about' }, this.name, this.what, this.note),
      h('div', { class: 'steer' }, this.progress, this.spoken, this.bar, this.buttons),
      h(
        'div',
        { class: 'actions', role: 'group', 'aria-label': 'Export' },
        h('span', { class: 'muted', 'aria-hidden': 'true' }, 'Export'),
        ...EXPORTS.map((button) => this.button(button)),
      ),
    );
  }

  render(data: PanelData<RunPlan>): void {
    const { run, state } = data;
    const progress = progressOf(data);
    if (!run || !progress) return;
    const { title = run.plan.name, details = [], note = '' } = data.called ?? {};
    say(this.name, title);
    say(this.note, note);
    this.note.hidden = note === '';
    const about = [...aboutPlan(run), ...details];
    say(this.what, about.map((part) => ` · ${part}`).join(''));
    const isRunning = state?.kind === 'running';
    const parts = [
      ...(state && !isRunning ? [STATES[state.kind]] : []),
      ...(progress.hasBegun || isRunning ? [progress.where] : []),
      ...(isRunning ? [progress.left] : []),
    ];
    say(this.progress, parts.filter((part) => part !== '').join(' · '));
    say(this.spoken, state ? STATES[state.kind] : '');
    this.bar.value = progress.share;
    this.bar.hidden = progress.isFinished;
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

/** What is searched, how, and for which checkpoint. */
function aboutPlan({ plan, methodTitle }: PanelRun): string[] {
  const sparsity = runSparsity(plan);
  const shared = [
    methodTitle,
    ...(sparsity ? [sparsityWords(sparsity)] : []),
    ...(plan.kind === 'recovery' ? [] : fitnessWords(plan)),
    inputName(plan.model),
    ...protocolWords(plan),
  ];
  if (plan.kind === 'recovery') {
    const pruned = plan.evaluation && scoreText(plan.evaluation);
    // It is called by that, as a rule.
    if (pruned === plan.name) return shared;
    return [...shared, pruned === undefined ? 'the checkpoint as it is' : `after ${pruned}`];
  }
  if (plan.kind === 'metrics')
    return [
      ...shared,
      ...(plan.seeds.length === 0 ? [] : [`from ${plan.seeds.map(({ metric }) => metric).join(', ')}`]),
    ];
  if (plan.kind === 'rates') {
    return [...shared, subjectWords(plan)];
  }
  const { initial, components } = plan.search;
  return [
    ...shared,
    ...(components === 'heads-channels' ? [] : [COMPONENTS[components]]),
    `from ${initial === 'metric' ? structureScoreText(plan.score) : initial}`,
  ];
}

/** What a search says itself goes first. */
function protocolWords({ protocol }: RunPlan): string[] {
  return protocol === undefined ? [] : [`protocol ${protocol}, but for what the search says itself`];
}

const COMPONENTS = {
  'heads-channels-layers': 'heads, channels and blocks',
  layers: 'blocks',
} as const;
