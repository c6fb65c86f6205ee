import type { ResultName, Speed } from '../../../src/view/panelMessages.ts';
import { predictionWords } from '../../../src/experiment/prediction.ts';
import type { Prediction } from '../../../src/experiment/predictionSchema.ts';
import { predictedWords, SPEED_COLUMNS, speedCells } from '../../../src/experiment/speedTable.ts';
import type { SpeedCell, SpeedRow } from '../../../src/experiment/speedTable.ts';
import type { StructureReport } from '../../../src/experiment/structureSchema.ts';
import { fill, h } from '../../shared/dom.ts';

export interface SpeedCardEvents {
  readonly onMeasure: (of: ResultName) => void;
  readonly onCancel: () => void;
  readonly onExport: (of: ResultName) => void;
}

/** What is known of the result that the card is about. */
export interface SpeedSubject {
  readonly name: ResultName;
  readonly label: string;
  /** Parameters before and after, where an evaluation has told them. */
  readonly parameters: StructureReport['parameters'] | undefined;
  /** What is known of size and speed without measuring. */
  readonly predicted: Prediction | undefined;
  /** Whether whole components go: only then is anything smaller or faster. */
  readonly isStructural: boolean;
}

/** Dense against pruned: parameters, size, memory, tokens a second; measured when asked for. */
export class SpeedCard {
  readonly element: HTMLElement;
  private readonly events: SpeedCardEvents;
  private readonly body = h('div', { class: 'scroll' });
  private readonly status = h('p', { class: 'muted', role: 'status' });
  private readonly measure = h('button', { type: 'button', 'data-action': 'speed' }, 'Measure speed');
  private readonly save = h('button', { type: 'button', 'data-action': 'exportModel' }, 'Export…');
  private subject: SpeedSubject | undefined;
  private isMeasuring = false;
  private shown = '';

  constructor(events: SpeedCardEvents) {
    this.events = events;
    this.measure.addEventListener('click', () => {
      if (this.isMeasuring) events.onCancel();
      else if (this.subject) events.onMeasure(this.subject.name);
    });
    this.save.addEventListener('click', () => {
      if (this.subject) this.events.onExport(this.subject.name);
    });
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Size and speed' },
      h('div', { class: 'title' }, h('h2', {}, 'Dense and pruned'), this.measure, this.save),
      this.status,
      this.body,
    );
  }

  render(subject: SpeedSubject | undefined, denseParameters: number | undefined, measured: Speed | undefined): void {
    this.subject = subject;
    const speed = subject && measured && same(measured.of, subject.name) ? measured : undefined;
    this.isMeasuring = measured?.state === 'measuring';
    const shown = JSON.stringify([subject, denseParameters, speed, this.isMeasuring]);
    if (shown === this.shown) return;
    this.shown = shown;
    fill(this.measure, this.isMeasuring ? 'Cancel' : 'Measure speed');
    this.measure.disabled = !subject && !this.isMeasuring;
    this.save.disabled = !subject;
    fill(this.status, statusOf(subject, speed));
    const rows = speed && speed.rows.length > 0 ? speed.rows : knownRows(subject, denseParameters);
    fill(this.body, rows.length === 0 ? undefined : table(rows));
  }
}

function statusOf(subject: SpeedSubject | undefined, speed: Speed | undefined): string {
  if (!subject) return 'Once there is a result, its size and speed can be measured here.';
  if (speed) {
    switch (speed.state) {
      case 'measuring':
        return `${speed.detail} · ${Math.round(100 * speed.share)} %`;
      case 'done':
        return [speed.detail, ...predictedWords(speed.predicted).map((words) => `Before: ${words}.`)].join(' ');
      case 'cancelled':
        return 'Cancelled.';
      case 'failed':
        return `Failed: ${speed.detail}`;
    }
  }
  if (subject.isStructural && subject.predicted?.speedUp) {
    return `${subject.label}: ${predictionWords(subject.predicted)}, by what block shapes cost on this machine.`;
  }
  return subject.isStructural
    ? `${subject.label}: with the pruned parts really removed, on this machine.`
    : `${subject.label}: single weights are zero in place, so nothing is smaller in memory or faster: 1.00 ×.`;
}

function knownRows(subject: SpeedSubject | undefined, dense: number | undefined): SpeedRow[] {
  const row = (name: 'dense' | 'pruned', parameters: number): SpeedRow => ({
    name,
    parameters,
    ...{ bytes: subject?.predicted?.[name].bytes ?? null, memory: null, tokensPerSecond: null, speedUp: null },
    ...{ decodePerSecond: null, decodeSpeedUp: null },
  });
  const parameters = subject?.parameters;
  if (parameters) return [row('dense', parameters.dense), row('pruned', parameters.pruned)];
  return dense === undefined ? [] : [row('dense', dense)];
}

function table(rows: readonly SpeedRow[]): HTMLElement {
  const dense = rows[0]!;
  return h(
    'table',
    { class: 'speeds' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col' }, ''),
        ...SPEED_COLUMNS.map((title) => h('th', { scope: 'col', class: 'number' }, title)),
      ),
    ),
    h(
      'tbody',
      {},
      ...rows.map((row) => h('tr', {}, h('th', { scope: 'row' }, row.name), ...speedCells(row, dense).map(cell))),
    ),
  );
}

/** `5.08M (79 %)`: always against dense; of the speed how many times as fast. */
function cell({ value, against }: SpeedCell): HTMLElement {
  return h(
    'td',
    { class: 'number' },
    h('span', {}, value),
    against === '' ? undefined : ' ',
    against === '' ? undefined : h('span', {}, `(${against})`),
  );
}

function same(a: ResultName, b: ResultName): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
