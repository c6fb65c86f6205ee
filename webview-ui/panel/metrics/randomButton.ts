import { fill, h } from '../../shared/dom.ts';
import type { PanelData } from '../common/panelData.ts';
import { STATES } from '../common/words.ts';

/** Random search with the same plan, which evolution has to beat: offers it, or says how far it is. */
export class RandomButton {
  readonly element = h('div', { class: 'actions' });
  private readonly onAsk: () => void;
  private shown = '';

  constructor(onAsk: () => void) {
    this.onAsk = onAsk;
  }

  render({ run, random, search }: PanelData): void {
    const { state, line } = random;
    const generations = run?.plan.search.generations ?? 0;
    const text =
      state && state.kind !== 'finished'
        ? `random search ${STATES[state.kind]}, generation ${line?.points.at(-1) ? line.points.at(-1)!.generation + 1 : 0} / ${generations}`
        : '';
    const isOffered = run?.plan.search.method === 'pruner-zero' && state === null && search.candidates.length > 0;
    const shown = `${isOffered} ${text}`;
    if (shown === this.shown) return;
    this.shown = shown;
    fill(
      this.element,
      text === '' ? undefined : h('span', { class: 'muted' }, text),
      isOffered
        ? h(
            'button',
            {
              type: 'button',
              title: 'The same plan with random trees in place of evolution, as a run of its own',
              onclick: this.onAsk,
            },
            'Run random search beside it',
          )
        : undefined,
    );
  }
}
