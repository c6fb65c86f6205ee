import type { Piece, ShownAnswer } from '../../src/view/tryMessages.ts';
import { fill, h, say } from '../shared/dom.ts';
import { commonLength, samenessWords, speedWords, stateWords } from './words.ts';

export interface AnswerListeners {
  readonly onAgain: () => void;
  readonly onLog: () => void;
}

/** What one model says: who, how fast, how far, and the text, in which the word is marked where it parts from the dense model's. */
export class AnswerColumn {
  readonly element: HTMLElement;
  private readonly listeners: AnswerListeners;
  private readonly speed = h('span', { class: 'speed' });
  private readonly same = h('span', {});
  private readonly parting = h('mark', {});
  private readonly rest = h('span', {});
  private readonly caret = h('span', { class: 'caret', 'aria-hidden': 'true' });
  private readonly text = h(
    'div',
    { class: 'text formula', dir: 'auto' },
    this.same,
    this.parting,
    this.rest,
    this.caret,
  );
  private readonly progress = h('progress', { max: 1 });
  private readonly state = h('p', { class: 'muted' });
  private readonly failure = h('div', { class: 'failure', role: 'alert' });
  private answer: ShownAnswer;
  private shownError = '';

  constructor(answer: ShownAnswer, listeners: AnswerListeners) {
    this.listeners = listeners;
    this.answer = answer;
    this.progress.setAttribute('aria-label', `Making ${answer.of} ready`);
    this.element = h(
      'section',
      { class: 'answer', 'aria-label': `Answer of ${answer.of}` },
      h('div', { class: 'who' }, h('h3', { title: answer.of }, answer.of), this.speed),
      this.progress,
      this.text,
      this.failure,
      this.state,
    );
  }

  get shown(): ShownAnswer {
    return this.answer;
  }

  /** @param dense what it is compared with; undefined of the dense model itself */
  show(answer: ShownAnswer, dense: ShownAnswer | undefined): void {
    this.answer = answer;
    const { state, text } = answer;
    const same = dense === undefined || dense.text === '' ? text.length : commonLength(text, dense.text);
    say(this.same, text.slice(0, same));
    const other = /^\s*\S*/u.exec(text.slice(same))![0];
    say(this.parting, other);
    say(this.rest, text.slice(same + other.length));
    say(this.speed, speedWords(answer, dense));
    const sameness = dense ? samenessWords(answer, dense) : '';
    say(this.state, [stateWords(answer), sameness].filter((words) => words !== '').join(' · '));
    this.element.dataset['state'] = state.kind;
    this.text.hidden = text === '' && state.kind !== 'answering';
    this.caret.hidden = state.kind !== 'answering';
    this.state.hidden = state.kind === 'failed';
    this.progress.hidden = state.kind !== 'opening';
    if (state.kind === 'opening' && state.share !== null) this.progress.value = state.share;
    else this.progress.removeAttribute('value');
    this.showFailure(state.kind === 'failed' ? state.error : undefined);
  }

  grow(piece: Piece, dense: ShownAnswer | undefined): void {
    this.show({ ...this.answer, ...piece, text: this.answer.text + piece.text }, dense);
  }

  private showFailure(error: Extract<ShownAnswer['state'], { kind: 'failed' }>['error'] | undefined): void {
    this.failure.hidden = error === undefined;
    const shown = error === undefined ? '' : JSON.stringify(error);
    // One that is the same is not read out again.
    if (shown === this.shownError) return;
    this.shownError = shown;
    if (error === undefined) {
      fill(this.failure);
      return;
    }
    const { operation, expected, actual, remedy, code } = error;
    fill(
      this.failure,
      h('p', {}, h('strong', {}, '✗ '), `${operation}: expected ${expected}, got ${actual}.`),
      h('p', {}, remedy),
      h(
        'p',
        { class: 'steer' },
        h('button', { type: 'button', onclick: this.listeners.onAgain }, 'Try Again'),
        h('button', { type: 'button', onclick: this.listeners.onLog }, 'Show Log'),
        h('code', { class: 'muted' }, code),
      ),
    );
  }
}
