import { fill, h } from '../shared/dom.ts';
import { correlationMatrix } from '../../src/search/correlation.ts';
import type { Candidate } from '../../src/experiment/searchEvents.ts';
import type { PanelData } from './panelData.ts';

/** Which operations go with low perplexity: a matrix of signed numbers, over all generations and over spans of them. */
export class CorrelationCard {
  readonly element: HTMLElement;
  private readonly body = h('div', {});
  private shown = '';

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Operations and perplexity' },
      h('h2', {}, 'Operations × perplexity'),
      this.body,
    );
  }

  render({ search, run, complete }: PanelData): void {
    const { candidates, generations } = search;
    // Between generations there is little news, and going through thousands takes its time.
    const shown = JSON.stringify([run?.folder, generations.length, complete]);
    if (shown === this.shown || !run || !complete) return;
    this.shown = shown;
    const { spans, rows } = correlate(candidates);
    if (rows.every(({ overall }) => overall === undefined)) {
      fill(this.body, h('p', { class: 'muted' }, 'Too few candidates so far.'));
      return;
    }
    const cell = (value: number | undefined): HTMLElement => {
      const element = h('td', { class: 'number' }, value === undefined ? '·' : signed(value));
      if (value !== undefined) {
        const share = Math.round(Math.min(1, Math.abs(value) * 1.4) * 55);
        const hue = value < 0 ? 'var(--vscode-charts-blue)' : 'var(--vscode-charts-orange)';
        element.style.background = `color-mix(in srgb, ${hue} ${share}%, transparent)`;
      }
      return element;
    };
    fill(
      this.body,
      h(
        'p',
        { class: 'muted' },
        'Correlation of how often a name occurs with the logarithm of perplexity, −1 to +1. Below 0: trees with more of it do better. n: candidates that have it.',
      ),
      h(
        'div',
        { class: 'scroll' },
        h(
          'table',
          { class: 'matrix' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col' }, 'name'),
              h('th', { scope: 'col', class: 'number' }, 'n'),
              h('th', { scope: 'col', class: 'number' }, 'all'),
              ...(spans.length > 1
                ? spans.map(({ first, last }) =>
                    h(
                      'th',
                      { scope: 'col', class: 'number', title: 'generations' },
                      first === last ? `gen. ${first + 1}` : `gen. ${first + 1}–${last + 1}`,
                    ),
                  )
                : []),
            ),
          ),
          h(
            'tbody',
            {},
            ...rows.map(({ name, count, overall, spans: each }) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row', class: 'formula' }, name),
                h('td', { class: 'number' }, String(count)),
                cell(overall),
                ...(spans.length > 1 ? each.map(cell) : []),
              ),
            ),
          ),
        ),
      ),
    );
  }
}

interface Correlations {
  /** Inclusive generations. */
  readonly spans: readonly { readonly first: number; readonly last: number }[];
  readonly rows: readonly CorrelationRow[];
}

interface CorrelationRow {
  readonly name: string;
  readonly count: number;
  /** Undefined where there is too little to tell from. */
  readonly overall: number | undefined;
  readonly spans: readonly (number | undefined)[];
}

const SPANS = 4;
/** Fewer candidates, or fewer that have the name, give a number by chance. */
const FEWEST = 8;
const FEWEST_WITH = 3;

/** Over all generations and over each quarter of them, what helps most first. */
export function correlate(candidates: readonly Candidate[]): Correlations {
  const last = candidates.at(-1)?.generation ?? 0;
  const length = Math.ceil((last + 1) / SPANS);
  const spans = Array.from({ length: Math.ceil((last + 1) / length) }, (_, i) => ({
    first: i * length,
    last: Math.min(last, (i + 1) * length - 1),
  }));
  const all = correlationMatrix(candidates);
  const inSpans = spans.map(({ first, last: end }) =>
    correlationMatrix(candidates.filter(({ generation }) => generation >= first && generation <= end)),
  );
  const valueIn = (matrix: typeof all, name: string): number | undefined => {
    const i = matrix.symbols.indexOf(name);
    const isEnough = i >= 0 && matrix.candidates >= FEWEST && matrix.occurrences[i]! >= FEWEST_WITH;
    return isEnough ? (matrix.withPerplexity[i] ?? undefined) : undefined;
  };
  const rows = all.symbols.map((name, i): CorrelationRow => ({
    name,
    count: all.occurrences[i]!,
    overall: valueIn(all, name),
    spans: inSpans.map((matrix) => valueIn(matrix, name)),
  }));
  return { spans, rows: rows.sort((a, b) => (a.overall ?? 2) - (b.overall ?? 2)) };
}

function signed(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return `${Number(text) === 0 ? '±' : value < 0 ? '−' : '+'}${text}`;
}
