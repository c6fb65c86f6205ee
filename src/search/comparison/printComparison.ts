import { csv } from '../../base/csv.ts';
import { markdownText } from '../../base/markdown.ts';
import { markdownTable } from '../../base/markdownTable.ts';
import type { ComparisonTable } from './comparisonTable.ts';

/** As Markdown: the table, its columns in line, and below what is the same for all, what the seeds come to, and what cannot be compared. */
export function comparisonAsMarkdown({ columns, rows, equal, seeds, notes }: ComparisonTable): string {
  const cells = rows.map((row) => columns.map(({ key }) => markdownText(row.cells[key]?.text ?? '–')));
  const same = equal.map(({ name, text }) => `${name} ${text}`).join(', ');
  const lines = [
    ...seeds.map((line) => `- ${markdownText(line)}`),
    ...notes.map((line) => `- ${markdownText(line)}`),
    ...(same === '' ? [] : [`- the same for all: ${markdownText(same)}`]),
  ];
  const head = columns.map(({ title, isNumber }) => ({ title: markdownText(title), isNumber }));
  return `${[markdownTable(head, cells), ...(lines.length === 0 ? [] : [lines.join('\n')])].join('\n\n')}\n`;
}

/** As comma-separated values (RFC 4180), numbers with all their digits: `to dense` and `to pinned` are ratios less 1, times seconds. */
export function comparisonAsCsv({ columns, rows }: ComparisonTable): string {
  const head = ['id', ...columns.map(({ title }) => title)];
  const cellsOf = ({ run, cells }: ComparisonTable['rows'][number]): (string | number)[] => [
    run.id,
    ...columns.map(({ key }) => {
      const { value, text = '' } = cells[key] ?? {};
      return value ?? (text === '–' ? '' : text);
    }),
  ];
  return csv([head, ...rows.map(cellsOf)]);
}
