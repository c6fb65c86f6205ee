import { formatChange, formatPerplexity, perplexityDigits } from '../../../src/experiment/format.ts';
import { recoveryWarnings } from '../../../src/experiment/resultWarnings.ts';
import type { FinalistEvent } from '../../../src/search/lifecycle/events.ts';
import type { RecoveredForm } from '../../../src/search/recovery/events.ts';
import { AFTER, BEFORE } from '../../../src/search/recovery/finalists.ts';
import type { RecoveryState } from '../../../src/search/recovery/state.ts';
import { fill, h } from '../../shared/dom.ts';
import { askedCells, askedColumns, askedTitles } from '../common/askedColumns.ts';

/** What it has come to: dense, before and after on text that training never saw; and what can be made of it. */
export class OutcomeCard {
  readonly element: HTMLElement;
  private readonly body = h('div', { class: 'scroll' });
  private readonly buttons: Readonly<Record<RecoveredForm, HTMLButtonElement>>;
  private shown = '';

  constructor(onSave: (as: RecoveredForm) => void) {
    const button = (as: RecoveredForm, label: string, title: string): HTMLButtonElement =>
      h(
        'button',
        {
          type: 'button',
          title,
          'data-action': `save-${as}`,
          onclick: () => {
            onSave(as);
          },
        },
        label,
      );
    this.buttons = {
      adapter: button('adapter', 'Save adapter…', 'Write what was trained as a folder that PEFT reads'),
      merged: button('merged', 'Save merged model…', 'Write the pruned checkpoint with the adapter in its weights'),
    };
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Before and after' },
      h('div', { class: 'title' }, h('h2', {}, 'Before and after'), h('p', { class: 'readout' })),
      this.body,
      h('div', { class: 'actions' }, this.buttons.merged, this.buttons.adapter),
    );
  }

  render({ finalists, finished, stopped }: RecoveryState, startsFromAdapter: boolean): void {
    const shown = JSON.stringify([finalists.length, finished, stopped?.reason]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.buttons.merged.disabled = !finished;
    this.buttons.adapter.disabled = !finished || (finished.kept === 0 && !startsFromAdapter);
    fill(
      this.body,
      ...(finalists.length === 0 ? [waiting()] : [table(finalists), noteOf(finalists), ...warnings(finalists)]),
    );
  }
}

function waiting(): HTMLElement {
  return h('p', { class: 'muted' }, 'At the end the model before and after is evaluated like every evaluation.');
}

function table(finalists: readonly FinalistEvent[]): HTMLElement {
  const hasTest = finalists.some(({ test }) => test !== undefined);
  const dense = finalists.find(({ result }) => result)?.result?.densePerplexity;
  const asked = askedColumns(finalists);
  const denseTest = finalists.find(({ test }) => test)?.test?.densePerplexity;
  const all = finalists.flatMap(({ result, test }) => [result?.perplexity ?? [], test?.perplexity ?? []].flat());
  const digits = perplexityDigits(all);
  const cells = (perplexity: number | undefined, reference: number | undefined): HTMLElement[] => [
    h('td', { class: 'number' }, perplexity === undefined ? '–' : formatPerplexity(perplexity, digits)),
    h(
      'td',
      { class: 'number muted' },
      perplexity === undefined || reference === undefined || perplexity === reference
        ? ''
        : formatChange(perplexity, reference),
    ),
  ];
  const row = (name: string, ...of: readonly HTMLElement[]): HTMLElement =>
    h('tr', {}, h('th', { scope: 'row' }, name), ...of);
  return h(
    'table',
    { class: 'finalists' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col' }, ''),
        h('th', { scope: 'col', class: 'number', colspan: 2 }, 'perplexity'),
        ...(hasTest ? [h('th', { scope: 'col', class: 'number', colspan: 2 }, 'unseen text')] : []),
        ...askedTitles(asked),
      ),
    ),
    h(
      'tbody',
      {},
      row('dense', ...cells(dense, dense), ...(hasTest ? cells(denseTest, denseTest) : []), ...askedCells(asked.dense)),
      ...finalists.map(({ name, result, test, error }) =>
        error
          ? row(
              name,
              h('td', { colspan: (hasTest ? 4 : 2) + asked.titles.length }, `failed: ${error.actual}. ${error.remedy}`),
            )
          : row(
              name,
              ...cells(result?.perplexity, dense),
              ...(hasTest ? cells(test?.perplexity, denseTest) : []),
              ...askedCells(asked.cells({ result, test })),
            ),
      ),
    ),
  );
}

/** How much of what pruning has lost came back. */
function noteOf(finalists: readonly FinalistEvent[]): HTMLElement {
  const resultOf = (wanted: string) => finalists.find(({ name }) => name === wanted)?.result;
  const [before, after] = [resultOf(BEFORE), resultOf(AFTER)];
  const lost = before && before.perplexity - before.densePerplexity;
  const share =
    before && after && lost !== undefined && lost > 0 ? (before.perplexity - after.perplexity) / lost : undefined;
  const words = share === undefined ? '' : ` ${shareWords(share)}`;
  return h('p', { class: 'muted' }, `Differences are against dense.${words}`);
}

/** What whoever takes the recovered model has to know. */
function warnings(finalists: readonly FinalistEvent[]): readonly HTMLElement[] {
  const told = finalists
    .flatMap(({ result, test }) => [result, test])
    .flatMap((of) => (of?.recovery ? recoveryWarnings(of.recovery, of.perplexity) : []));
  return [...new Set(told)].map((text) => h('p', { role: 'note' }, `⚠ ${text}.`));
}

function shareWords(share: number): string {
  const percent = Math.round(100 * share);
  if (percent === 0) return 'Training changed nothing to speak of.';
  return percent < 0
    ? 'Training made it worse on this text.'
    : `Training brought back ${percent} % of the perplexity that pruning had cost.`;
}
