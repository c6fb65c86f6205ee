import type { ErrorData } from '../../../src/base/errors.ts';
import { formatChange, formatPerplexity, perplexityDigits } from '../../../src/experiment/format.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import type { SearchOpening } from '../../../src/search/lifecycle/events.ts';
import { formatFitness } from '../../../src/search/lifecycle/fitnessText.ts';
import { denseFitness, fitnessIn, objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import type { AnyFitness } from '../../../src/search/lifecycle/objective.ts';
import { h } from '../../shared/dom.ts';
import { askedCells, askedColumns, askedTitles } from './askedColumns.ts';
import type { AskedColumns } from './askedColumns.ts';
import { fitnessColumn } from './fitnessWords.ts';

/** One that was evaluated again at the end, or a baseline. */
export interface FinalistRow {
  readonly name: string | HTMLElement;
  readonly isBaseline: boolean;
  /** What it is. */
  readonly what: HTMLElement;
  readonly result: EvaluationResult | undefined;
  readonly test: EvaluationResult | undefined;
  readonly error: ErrorData | undefined;
  /** What the search has of it. */
  readonly measured: AnyFitness | undefined;
}

/**
 * Perplexities on the fitness text and on text that the search never saw, best first, dense last; differences are against dense. Where the search has
 * chosen by something else, that stands before them, and says which is best.
 */
export function finalistTable(
  rows: readonly FinalistRow[],
  [name, what]: readonly [string, string],
  opening: SearchOpening | undefined,
): HTMLElement {
  const objective = objectiveOf(opening);
  const chosenOf = ({ measured }: FinalistRow): number => fitnessIn(measured ?? {}) ?? Infinity;
  const keyOf = objective === 'perplexity' ? perplexityOf : chosenOf;
  const chosen = (fitness: number | undefined): readonly HTMLElement[] =>
    objective === 'perplexity'
      ? []
      : [
          h(
            'td',
            { class: 'number' },
            fitness === undefined || fitness === Infinity ? '–' : formatFitness(fitness, objective),
          ),
        ];
  const hasTest = rows.some(({ test }) => test !== undefined);
  const sorted = [...rows].sort((a, b) => keyOf(a) - keyOf(b) || 0);
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
        ...(objective === 'perplexity' ? [] : [h('th', { scope: 'col', class: 'number' }, fitnessColumn(opening))]),
        h('th', { scope: 'col', class: 'number', colspan: 2 }, objective === 'tasks' ? 'text' : 'fitness text'),
        ...(hasTest ? [h('th', { scope: 'col', class: 'number', colspan: 2 }, 'unseen text')] : []),
        ...askedTitles(asked),
      ),
    ),
    h(
      'tbody',
      {},
      ...sorted.map((row) => rowOf(row, chosen(chosenOf(row)), hasTest, digits, asked)),
      h(
        'tr',
        { class: 'muted' },
        h('th', { scope: 'row' }, 'dense'),
        h('td', {}, 'nothing pruned'),
        ...chosen(objective === 'kl' ? 0 : denseFitness(opening)),
        ...perplexityCells(dense, dense, digits),
        ...(hasTest ? perplexityCells(denseTest, denseTest, digits) : []),
        ...askedCells(asked.dense),
      ),
    ),
  );
}

function rowOf(
  { name, isBaseline, what, result, test, error }: FinalistRow,
  chosen: readonly HTMLElement[],
  hasTest: boolean,
  digits: number,
  asked: AskedColumns,
): HTMLElement {
  return h(
    'tr',
    { class: isBaseline ? 'baseline' : undefined },
    h('th', { scope: 'row' }, name, isBaseline ? h('span', { class: 'muted' }, ' baseline') : undefined),
    what,
    ...chosen,
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

function perplexityOf({ result, test }: FinalistRow): number {
  return test?.perplexity ?? result?.perplexity ?? Infinity;
}
