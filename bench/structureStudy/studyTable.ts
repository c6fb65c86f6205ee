import { formatPerplexity } from '../../src/experiment/format.ts';
import type { Cell } from './main.ts';
import { METHODS, METHOD_NAMES } from './methods.ts';

/** The cells as Markdown: one table for each text, one for what really went, and what the searches took. */
export function studyTable(cells: readonly Cell[]): string {
  const rates = [...new Set(cells.map(({ rate }) => rate))].sort((a, b) => a - b);
  const [first] = cells;
  if (!first) return 'nothing was measured';
  const dense = (of: 'fitness' | 'unseen') => `dense ${formatPerplexity(first.dense[of])}`;
  return [
    ...table(`fitness text, ${dense('fitness')}`, rates, cells, ({ fitness }) => formatPerplexity(fitness)),
    ...table(`text that no search saw, ${dense('unseen')}`, rates, cells, ({ unseen }) => formatPerplexity(unseen)),
    ...table('removed of the blocks’ weights', rates, cells, ({ removed }) => `${(100 * removed).toFixed(1)} %`),
    ...cells.flatMap(({ method, rate, note, seconds }) =>
      note === undefined ? [] : [`- ${METHODS[method].title}, ${percent(rate)}: ${note}; ${seconds.toFixed(0)} s`],
    ),
  ].join('\n');
}

function table(
  title: string,
  rates: readonly number[],
  cells: readonly Cell[],
  show: (cell: Cell) => string,
): string[] {
  const at = (method: string, rate: number) => cells.find((cell) => cell.method === method && cell.rate === rate);
  return [
    `| ${[title, ...rates.map(percent)].join(' | ')} |`,
    `|${'---|'.repeat(rates.length + 1)}`,
    ...METHOD_NAMES.filter((method) => cells.some((cell) => cell.method === method)).map((method) => {
      const values = rates.map((rate) => {
        const cell = at(method, rate);
        return cell ? show(cell) : '–';
      });
      return `| ${[METHODS[method].title, ...values].join(' | ')} |`;
    }),
    '',
  ];
}

function percent(rate: number): string {
  return `${Math.round(1000 * rate) / 10} %`;
}
