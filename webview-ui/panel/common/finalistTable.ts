import type { ErrorData } from '../../../src/base/errors.ts';
import { formatChange, formatPerplexity, perplexityDigits } from '../../../src/experiment/format.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { h } from '../../shared/dom.ts';
import { askedCells, askedColumns, askedTitles } from './askedColumns.ts';
import type { AskedColumns } from './askedColumns.ts';

/** One that was evaluated again at the end, or a baseline. */
export interface FinalistRow {
  readonly name: string | HTMLElement;
  readonly isBaseline: boolean;
  /** What it is. */
  readonly what: HTMLElement;
  readonly result: EvaluationResult | undefined;
  readonly test: EvaluationResult | undefined;
  readonly error: ErrorData | undefined;
}

/** Perplexities on the fitness text and on text that the search never saw, best first, dense last; differences are against dense. */
export function finalistTable(rows: readonly FinalistRow[], [name, what]: readonly [string, string]): HTMLElement {
  const hasTest = rows.some(({ test }) => test !== undefined);
  const sorted = [...rows].sort((a, b) => keyOf(a) - keyOf(b));
  const dense = rows.find(({ result }) => result !== undefined)?.result?.densePerplexity;
  const digits = Math.max(
    perplexityDigits(rows.flatMap(({ result }) => result?.perplexity ?? [])),
    perplexityDigits(rows.flatMap(({ test }) => test?.perplexity ?? [])),
  );
  const asked = askedColumns(rows);
  const denseTest = rows.find(({ test }) => test !== undefined)?.test?.densePerplexity;
  return h(
    'table',
    { class: 'finalists' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...[name, what].map((title) => h('th', { scope: 'col' }, title)),
        h('th', { scope: 'col', class: 'number', colspan: 2 }, 'fitness text'),
        ...(hasTest ? [h('th', { scope: 'col', class: 'number', colspan: 2 }, 'unseen text')] : []),
        ...askedTitles(asked),
      ),
    ),
    h(
      'tbody',
      {},
      ...sorted.map((row) => rowOf(row, hasTest, digits, asked)),
      h(
        'tr',
        { class: 'muted' },
        h('th', { scope: 'row' }, 'dense'),
        h('td', {}, 'nothing pruned'),
        ...perplexityCells(dense, dense, digits),
        ...(hasTest ? perplexityCells(denseTest, denseTest, digits) : []),
        ...askedCells(asked.dense),
      ),
    ),
  );
}

function rowOf(
  { name, isBaseline, what, result, test, error }: FinalistRow,
  hasTest: boolean,
  digits: number,
  asked: AskedColumns,
): HTMLElement {
  return h(
    'tr',
    { class: isBaseline ? 'baseline' : undefined },
    h('th', { scope: 'row' }, name, isBaseline ? h('span', { class: 'muted' }, ' baseline') : undefined),
    what,
    ...(error
      ? [h('td', { colspan: (hasTest ? 4 : 2) + asked.titles.length }, `failed: ${error.actual}. ${error.remedy}`)]
      : [
          ...perplexityCells(result?.perplexity, result?.densePerplexity, digits),
          ...(hasTest ? perplexityCells(test?.perplexity, test?.densePerplexity, digits) : []),
          ...askedCells(asked.cells({ result, test })),
        ]),
  );
}

function perplexityCells(perplexity: number | undefined, dense: number | undefined, digits: number): HTMLElement[] {
  return [
    h('td', { class: 'number' }, perplexity === undefined ? '–' : formatPerplexity(perplexity, digits)),
    h(
      'td',
      { class: 'number muted' },
      perplexity === undefined || dense === undefined || perplexity === dense ? '' : formatChange(perplexity, dense),
    ),
  ];
}

function keyOf({ result, test }: FinalistRow): number {
  return test?.perplexity ?? result?.perplexity ?? Infinity;
}
