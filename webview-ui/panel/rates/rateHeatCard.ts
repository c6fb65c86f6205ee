import { formatShare } from '../../../src/experiment/format.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { h, say } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { HeatMap } from '../common/heatMap.ts';
import { NONE_FINITE } from './bestCard.ts';

/** More columns than this are thinned: no eye tells them apart. */
const MOST_COLUMNS = 240;

const AWAITED = 'Drawn once the first configurations are evaluated.';

/** Block × generation: the rates of the best configuration so far. */
export class RateHeatCard {
  readonly element: HTMLElement;
  private readonly map = new HeatMap('Pruning rates of the best configuration so far, by block and generation');
  private readonly save = this.map.saveButton('Rates of the best so far');
  private readonly note = h('p', { class: 'muted' });

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Rates by block and generation' },
      h(
        'div',
        { class: 'title' },
        h('h2', {}, 'Rates of the best so far'),
        h('span', { class: 'muted' }, 'block × generation'),
        this.save,
      ),
      this.note,
      this.map.element,
    );
  }

  get picture(): HTMLCanvasElement {
    return this.map.canvas;
  }

  render(rates: RateState, theme: Theme): void {
    const columns = columnsOf(rates);
    this.note.hidden = columns.length > 0;
    say(this.note, rates.candidates.length === 0 ? AWAITED : NONE_FINITE);
    this.map.element.hidden = this.save.hidden = columns.length === 0;
    const [last] = columns.slice(-1);
    if (!last) return;
    const values = columns.flatMap((column) => column.rates);
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const margin = max - min < 0.02 ? 0.01 : 0;
    this.map.render(
      {
        rows: last.rates.length,
        columns: columns.length,
        at: (block, column) => columns[column]!.rates[block] ?? Number.NaN,
        min: Math.max(0, min - margin),
        max: Math.min(1, max + margin),
        ...{ format: formatShare, isShare: true },
        short: (value) => String(Math.round(value * 100)),
        rowLabel: (block) => `block ${block + 1}`,
        ...{ along: 'gen.', counts: 'generation' },
        columnNumber: (column) => columns[column]!.generation,
        describe: (block, column) => {
          const { generation, id, rates: of } = columns[column]!;
          const when = generation === 0 ? 'first configurations' : `generation ${generation}`;
          return `block ${block + 1}, ${when}: ${formatShare(of[block] ?? Number.NaN)} pruned (#${id})`;
        },
        meaning: 'pruned share of the block',
        summary: `${columns.length} columns, ${last.rates.length} blocks. Now ${last.rates.map((rate) => formatShare(rate)).join(', ')}.`,
        key: JSON.stringify([columns.length, last.id, last.generation]),
      },
      theme,
    );
  }
}

interface Column {
  readonly generation: number;
  readonly id: number;
  readonly rates: readonly number[];
}

function columnsOf({ generations, byId }: RateState): Column[] {
  const step = Math.ceil(generations.length / MOST_COLUMNS);
  // The last generation is always among them.
  return generations
    .filter((_, i) => (generations.length - 1 - i) % step === 0)
    .flatMap(({ generation, bestSoFar }) => {
      const best = bestSoFar && byId.get(bestSoFar.id);
      return best ? [{ generation, id: best.id, rates: best.rates }] : [];
    });
}
