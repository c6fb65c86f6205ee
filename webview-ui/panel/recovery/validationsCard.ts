import { formatChange, formatPerplexity } from '../../../src/experiment/format.ts';
import { bestValidation } from '../../../src/search/recovery/state.ts';
import type { RecoveryState, Validation } from '../../../src/search/recovery/state.ts';
import { fill, h } from '../../shared/dom.ts';
import { plural } from '../common/words.ts';

/** Rows that are shown: the latest. */
const MOST = 200;

/** Each look at the held-out text, the latest first. */
export class ValidationsCard {
  readonly element: HTMLElement;
  private readonly body = h('div', { class: 'scroll looks', tabindex: 0 });
  private readonly readout = h('p', { class: 'readout' });
  private shown = '';

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Looks at the held-out text' },
      h('div', { class: 'title' }, h('h2', {}, 'Looks at the held-out text'), this.readout),
      this.body,
    );
  }

  render(state: RecoveryState, patience: number): void {
    const { validations } = state;
    const shown = `${validations.length} ${validations.at(-1)?.step} ${state.stopped?.reason}`;
    if (shown === this.shown) return;
    this.shown = shown;
    const best = bestValidation(state);
    const since = best ? validations.length - 1 - validations.indexOf(best) : 0;
    const left = patience === 0 || state.stopped ? '' : `, ${patience} end it`;
    fill(this.readout, since === 0 ? '' : `${plural(since, 'look')} since the best${left}`);
    if (validations.length === 0) {
      fill(this.body, h('p', { class: 'muted' }, 'The first is taken before the first step.'));
      return;
    }
    const [before] = validations;
    const rows = [...validations].reverse().slice(0, MOST);
    const more = validations.length - rows.length;
    fill(
      this.body,
      h(
        'table',
        { class: 'finalists' },
        h('thead', {}, h('tr', {}, ...['step', 'loss', 'perplexity', 'against before', ''].map(heading))),
        h('tbody', {}, ...rows.map((one) => row(one, before, one === best))),
      ),
      more > 0 ? h('p', { class: 'muted' }, `and ${more} before them`) : undefined,
    );
  }
}

function heading(title: string): HTMLElement {
  return h('th', { scope: 'col', class: title === '' ? undefined : 'number' }, title);
}

function row({ step, loss, perplexity }: Validation, before: Validation | undefined, isBest: boolean): HTMLElement {
  const reference = before?.perplexity;
  const change = step === 0 || perplexity === null || reference == null ? '' : formatChange(perplexity, reference);
  const cell = (text: string, kind = 'number'): HTMLElement => h('td', { class: kind }, text);
  return h(
    'tr',
    {},
    h('th', { scope: 'row', class: 'number' }, step === 0 ? 'before' : String(step)),
    cell(loss === null ? 'not finite' : loss.toFixed(4)),
    cell(perplexity === null ? '–' : formatPerplexity(perplexity)),
    cell(change, 'number muted'),
    cell(isBest ? '◆ best' : '', ''),
  );
}
