import { fill, h } from '../../shared/dom.ts';
import type { RunKind, RunPlan } from '../../../src/search/kinds.ts';
import type { AnySearchState } from '../../../src/search/folds.ts';
import type { PanelData } from './panelData.ts';
import { plural } from './words.ts';

/** What a banner offers about a failure. */
export type BannerAction = 'log' | 'setting' | 'password';
export type BannerActions = Readonly<Record<BannerAction, () => void>>;

const LABELS: Readonly<Record<BannerAction, string>> = {
  log: 'Show log',
  setting: 'Open the setting',
  password: 'Set the password',
};

/** Says what a state means and what to do next, wherever the charts alone would leave one wondering. */
export class StateBanner {
  readonly element = h('div', { class: 'banner', role: 'status' });
  private readonly actions: BannerActions;
  private shown = '';

  constructor(actions: BannerActions) {
    this.actions = actions;
  }

  render(data: PanelData<RunPlan>): void {
    const [tone, title, text] = bannerWords(data) ?? ['none', '', ''];
    const shown = `${tone} ${title} ${text}`;
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.hidden = tone === 'none';
    this.element.className = `banner ${tone}`;
    const offered = tone === 'failed' ? offeredFor(data) : [];
    const buttons = offered.map((action) =>
      h('button', { type: 'button', class: 'link', onclick: this.actions[action] }, LABELS[action]),
    );
    fill(this.element, h('strong', {}, title), h('span', {}, text), ...buttons);
  }
}

/** What mends it goes first. */
export function offeredFor({ state }: PanelData<RunPlan>): readonly BannerAction[] {
  const code = state?.kind === 'failed' ? state.error.code : undefined;
  if (code === 'queue/refused') return ['password', 'setting', 'log'];
  if (code === 'queue/unreachable' || code === 'queue/address') return ['setting', 'log'];
  return ['log'];
}

type Banner = readonly [tone: 'info' | 'failed' | 'working', title: string, text: string];

/** What stands at the top, if anything. */
export function bannerWords(data: PanelData<RunPlan>): Banner | undefined {
  const { state, run } = data;
  if (!run || !state) return ['working', 'Opening', 'Reading the journal of the run …'];
  switch (state.kind) {
    case 'starting': {
      const share = state.share === undefined ? '' : ` ${Math.round(100 * state.share)} %`;
      const work = startingWork(data, run.plan);
      return ['working', 'Starting', state.detail === undefined ? work : `${capital(state.detail)}${share}`];
    }
    case 'running':
      if (state.detail !== undefined) return ['info', 'Running', capital(state.detail)];
      return hasNothing(data) ? ['working', 'Running', firstWork(data)] : undefined;
    case 'pausing':
      return ['working', 'Pausing', 'What is being evaluated comes to its end first.'];
    case 'paused':
      return [
        'info',
        'Paused',
        'Everything evaluated so far is kept. Resume goes on where it ended, also tomorrow and after a restart.',
      ];
    case 'interrupted':
      return [
        'info',
        'Stopped before its end',
        'Nothing that was evaluated is lost. Resume goes on, to the same result as without the interruption.',
      ];
    case 'failed':
      return [
        'failed',
        'Failed',
        `${state.error.operation}: expected ${state.error.expected}, got ${firstLine(state.error.actual).replace(/\.$/, '')}. ${state.error.remedy}`,
      ];
    case 'elsewhere':
      return [
        'info',
        'Read-only',
        'Another window or a command line runs this. It is shown live; pause and stop it there.',
      ];
    case 'finished':
      return stoppedEarly(data);
  }
}

/** Why a recovery ended before its last step, and what became of it. */
function stoppedEarly({ search }: PanelData<RunPlan>): Banner | undefined {
  if (search.kind !== 'recovery' || !search.stopped || !search.finished) return undefined;
  const { reason, detail, step } = search.stopped;
  const { kept: after } = search.finished;
  const kept = after === 0 ? 'The model is kept as it was before.' : `Kept is the state after ${after} steps.`;
  const isTrouble = reason === 'diverged' || reason === 'not-finite';
  const advice = isTrouble ? ' A lower learning rate, or some steps of warm-up, may do better.' : '';
  if (reason === 'steps')
    return after === 0 ? ['info', 'Nothing better', `No step did better on the held-out text. ${kept}`] : undefined;
  return [isTrouble ? 'failed' : 'info', `Stopped after ${step} steps`, `${capital(detail)}. ${kept}${advice}`];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const FIRST: Readonly<Record<RunKind, string>> = {
  metrics: 'The first candidates are being evaluated …',
  rates: 'Uniform rates and OWL’s are measured, then the first configurations …',
  masks: 'The first masks are being drawn …',
  recovery: 'The first steps are being trained …',
};

function firstWork({ search }: PanelData<RunPlan>): string {
  const isAsking = search.kind === 'rates' && search.calls.length > 0;
  return isAsking ? 'The language model is asked for the first configurations …' : FIRST[search.kind];
}

function hasNothing({ search, pictures }: PanelData<RunPlan>): boolean {
  if (search.kind === 'recovery') return search.steps === 0;
  return (search.kind === 'masks' ? search.steps + pictures.length : search.candidates.length) === 0;
}

function startingWork({ search }: PanelData<RunPlan>, plan: RunPlan): string {
  if (search.opening) return `Going through ${doneWords(search)} of the journal, to go on where it ended …`;
  if (plan.kind === 'recovery')
    return plan.evaluation ? 'Pruning the model that is to be trained …' : 'Loading the model that is to be trained …';
  if (plan.kind !== 'metrics') return 'Loading the model and scoring its heads and channels …';
  const gradients = plan.operands.includes('G') ? ', gradients too' : '';
  return `Loading the model and collecting what metrics are made of${gradients} …`;
}

function doneWords(search: AnySearchState): string {
  if (search.kind === 'masks' || search.kind === 'recovery') return plural(search.steps, 'step');
  return plural(search.candidates.length, search.kind === 'rates' ? 'configuration' : 'candidate');
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
