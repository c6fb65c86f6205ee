import type { PanelQueue } from '../../../src/view/panelMessages.ts';
import { fill, h, say } from '../../shared/dom.ts';
import { countWords, nobodyWords, paceWords, workerRows } from './workerWords.ts';
import type { WorkerRow } from './workerWords.ts';

export interface WorkersCardHost {
  /** Copies what starts a worker. */
  readonly onCopy: () => void;
  /** The list is folded away, or shown again. */
  readonly onFold: (folded: boolean) => void;
}

/** Milliseconds for which the button says that it has copied. */
const SAID = 2000;

const COLUMNS = ['worker', 'device', 'state', 'answered', 'a minute', 'last seen'] as const;
const NUMBERS: readonly string[] = ['answered', 'a minute', 'last seen'];

/** Who computes a run that is asked over a queue: one line, and a list below it that can be folded away. */
export class WorkersCard {
  readonly element: HTMLElement;
  private readonly host: WorkersCardHost;
  private readonly what = h('span', { class: 'readout' });
  /** A screen reader is told who comes and goes, not every number. */
  private readonly spoken = h('span', { class: 'spoken', role: 'status' });
  private readonly fold: HTMLButtonElement;
  private readonly nobody = h('p', { class: 'nobody' });
  private readonly body = h('tbody', {});
  private readonly list: HTMLElement;
  private shown = '';
  private command = '';

  constructor(host: WorkersCardHost) {
    this.host = host;
    const toggle = (): void => {
      host.onFold(!this.list.hidden);
    };
    this.fold = h('button', { type: 'button', class: 'link', 'aria-controls': 'workers', onclick: toggle });
    const heads = COLUMNS.map((name) =>
      h('th', { scope: 'col', class: NUMBERS.includes(name) ? 'number' : undefined }, name),
    );
    this.list = h(
      'div',
      { id: 'workers', class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'List of workers' },
      h('table', {}, h('thead', {}, h('tr', {}, ...heads)), this.body),
    );
    this.element = h(
      'section',
      { class: 'card workers', 'aria-label': 'Workers', hidden: true },
      h('div', { class: 'title' }, h('h2', {}, 'Workers'), this.what, this.fold),
      this.spoken,
      this.nobody,
      this.list,
    );
  }

  /** @param folded whether the list is to be out of sight */
  render(queue: PanelQueue | null, folded: boolean): void {
    this.element.hidden = queue === null;
    if (!queue) {
      say(this.spoken, '');
      return;
    }
    const { address, workers } = queue;
    const counts = workers === null ? 'looking who is there …' : workers.length === 0 ? '' : countWords(workers);
    const parts = [`over ${address}`, counts, paceWords(workers ?? [])];
    say(this.what, parts.filter((part) => part !== '').join(' · '));
    const nobody = workers === null ? undefined : nobodyWords(workers);
    say(this.spoken, nobody === undefined ? counts : `${nobody} ${queue.command}`);
    this.renderNobody(nobody, queue);
    const isEmpty = (workers ?? []).length === 0;
    this.list.hidden = folded || isEmpty;
    this.fold.hidden = isEmpty;
    this.fold.setAttribute('aria-expanded', String(!folded));
    say(this.fold, folded ? 'Show list' : 'Hide list');
    this.renderRows(workerRows(workers ?? []));
  }

  private renderNobody(words: string | undefined, { command, hasPassword }: PanelQueue): void {
    this.nobody.hidden = words === undefined;
    const shown = JSON.stringify([words, command, hasPassword]);
    if (words === undefined || shown === this.command) return;
    this.command = shown;
    const copy = h('button', { type: 'button', title: 'Copy the command', 'aria-label': 'Copy the command' }, 'Copy');
    copy.addEventListener('click', () => {
      this.host.onCopy();
      say(copy, 'Copied');
      setTimeout(() => {
        say(copy, 'Copy');
      }, SAID);
    });
    const variable = h('code', {}, 'ESPALIER_QUEUE_PASSWORD');
    const secret = h('span', {}, 'The password goes into the variable ', variable, ' there.');
    fill(this.nobody, words, h('code', { class: 'command' }, command), copy, hasPassword ? secret : undefined);
  }

  private renderRows(rows: readonly WorkerRow[]): void {
    const shown = JSON.stringify(rows);
    if (shown === this.shown) return;
    this.shown = shown;
    fill(this.body, ...rows.flatMap(rowsOf));
  }
}

function rowsOf({ state, mark, name, device, words, reason, answered, perMinute, seen }: WorkerRow): HTMLElement[] {
  const first = h(
    'tr',
    { class: state },
    h(
      'th',
      { scope: 'row', class: 'cut', title: name },
      h('span', { class: 'sign', 'aria-hidden': 'true' }, mark),
      name,
    ),
    h('td', { class: 'cut', title: device }, device),
    h('td', {}, words),
    ...[answered, perMinute, seen].map((text) => h('td', { class: 'number' }, text)),
  );
  if (reason === '') return [first];
  return [first, h('tr', { class: 'reason' }, h('td', { colspan: COLUMNS.length }, reason))];
}
