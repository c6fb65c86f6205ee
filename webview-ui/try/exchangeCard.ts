import type { Asked, Exchange, Piece, ShownAnswer } from '../../src/view/tryMessages.ts';
import { fill, h } from '../shared/dom.ts';
import { AnswerColumn } from './answerColumn.ts';
import { askedWords } from './words.ts';

export interface ExchangeListeners {
  /** Its prompt goes into the form. */
  readonly onReuse: (asked: Asked) => void;
  readonly onAgain: (asked: Asked) => void;
  readonly onLog: () => void;
}

/** Characters of a prompt that a label reads out. */
const LONGEST_LABEL = 60;

/** A prompt, and what every model that was asked said to it, side by side: the dense one first. */
export class ExchangeCard {
  readonly element: HTMLElement;
  private readonly listeners: ExchangeListeners;
  private readonly asked: Asked;
  private readonly answers = h('div', { class: 'answers' });
  private columns: readonly AnswerColumn[] = [];

  constructor({ asked, model }: Exchange, listeners: ExchangeListeners) {
    this.listeners = listeners;
    this.asked = asked;
    const { prompt } = asked;
    const label = prompt.length > LONGEST_LABEL ? `${prompt.slice(0, LONGEST_LABEL)}…` : prompt;
    this.element = h(
      'article',
      { class: 'exchange', 'aria-label': `Prompt: ${label}` },
      h('div', { class: 'prompt formula', dir: 'auto', tabindex: 0, role: 'textbox', 'aria-readonly': 'true' }, prompt),
      h(
        'div',
        { class: 'about' },
        h('span', { class: 'muted' }, `${model} · ${askedWords(asked)}`),
        h(
          'button',
          {
            type: 'button',
            title: 'Write this prompt and its settings into the form',
            onclick: () => {
              listeners.onReuse(asked);
            },
          },
          'Use Again',
        ),
      ),
      this.answers,
    );
    this.element.querySelector('.prompt')?.setAttribute('aria-label', 'Prompt');
  }

  show({ answers }: Exchange): void {
    if (answers.map(({ of }) => of).join('\n') !== this.columns.map(({ shown }) => shown.of).join('\n')) {
      const { onAgain, onLog } = this.listeners;
      const again = (): void => {
        onAgain(this.asked);
      };
      this.columns = answers.map((answer) => new AnswerColumn(answer, { onAgain: again, onLog }));
      fill(this.answers, ...this.columns.map(({ element }) => element));
    }
    const [dense] = answers;
    for (const [place, answer] of answers.entries()) this.columns[place]?.show(answer, place === 0 ? undefined : dense);
  }

  set(place: number, answer: ShownAnswer): void {
    this.columns[place]?.show(answer, this.denseFor(place));
    // The others are compared with that one.
    if (place === 0) for (const column of this.columns.slice(1)) column.show(column.shown, answer);
  }

  grow(place: number, piece: Piece): void {
    this.columns[place]?.grow(piece, this.denseFor(place));
  }

  private denseFor(place: number): ShownAnswer | undefined {
    return place === 0 ? undefined : this.columns[0]?.shown;
  }
}
