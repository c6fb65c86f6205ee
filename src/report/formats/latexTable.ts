import type { Cell, Inline, Line, Table } from '../document.ts';
import { plain } from './csvTable.ts';
import { latexFormula } from './latexFormula.ts';
import { latexCode, latexText } from './latexText.ts';

/** A table for a file that a paper takes in with `\input`: booktabs, its caption above, its notes below. Long ones go over several pages. */
export function latexTable(table: Table): string {
  const heading = [`\\caption{${latexLine(table.caption)}}`, `\\label{tab:${table.id}}`];
  const notes =
    table.notes.length === 0 ? [] : [`{\\footnotesize\\raggedright ${table.notes.map(latexLine).join(' ')}\\par}`];
  const lines =
    table.rows.length > MOST_ROWS
      ? ['{\\small', ...longTabular(table, heading), ...notes, '}']
      : [
          '\\begin{table}[htbp]',
          '\\centering\\small',
          ...heading,
          ...latexTabular(table),
          ...(notes.length === 0 ? [] : ['\\par\\smallskip', ...notes]),
          '\\end{table}',
        ];
  return `${lines.join('\n')}\n`;
}

/** Rows that fit on a page. */
const MOST_ROWS = 30;

/** Its lines alone: what is copied into a table that one has. Wide ones are made to fit the text. */
export function latexTabular(table: Table): readonly string[] {
  const { columns } = table;
  const body = [
    `\\begin{tabular}{${specification(table)}}`,
    '\\toprule',
    headRow(table),
    '\\midrule',
    ...bodyRows(table),
    '\\bottomrule',
    '\\end{tabular}',
  ];
  const isWide = columns.every(({ align }) => align !== 'wrapped') && charactersOf(table).reduce(sum, 0) > LINE;
  return isWide ? ['\\resizebox{\\linewidth}{!}{%', ...body.slice(0, -1), `${body.at(-1)!}}`] : body;
}

function longTabular(table: Table, heading: readonly string[]): readonly string[] {
  return [
    `\\begin{longtable}{${specification(table)}}`,
    `${heading.join('')} \\\\`,
    // A label counts once: what stands above the first page is not repeated.
    ...['\\toprule', headRow(table), '\\midrule', '\\endfirsthead'],
    ...['\\toprule', headRow(table), '\\midrule', '\\endhead'],
    ...bodyRows(table),
    '\\bottomrule',
    '\\end{longtable}',
  ];
}

function headRow({ columns }: Table): string {
  return row(columns.map(({ title }) => latexLine(title)));
}

function bodyRows({ rows, headRows = 0 }: Table): readonly string[] {
  const lines = rows.map((cells) => row(cells.map(latexCell)));
  const isParted = headRows > 0 && lines.length > headRows;
  return [...lines.slice(0, headRows), ...(isParted ? ['\\midrule'] : []), ...lines.slice(headRows)];
}

function row(cells: readonly string[]): string {
  return `${cells.join(' & ')} \\\\`;
}

/** Small characters on a line of a page, and those that the space between two columns takes. */
const LINE = 92;
const BETWEEN = 3;

/** Wrapped columns share what the others leave of the line. */
function specification(table: Table): string {
  const widths = charactersOf(table);
  const wrapped = table.columns.filter(({ align }) => align === 'wrapped').length;
  const taken = table.columns.map(({ align }, i) => (align === 'wrapped' ? BETWEEN : widths[i]!)).reduce(sum, 0);
  const share = Math.max(0.15, (1 - taken / LINE) / Math.max(1, wrapped));
  const letters = table.columns.map(({ align }) =>
    align === 'wrapped' ? `>{\\raggedright\\arraybackslash}p{${share.toFixed(2)}\\linewidth}` : align[0],
  );
  return `@{}${letters.join('')}@{}`;
}

/** The widest cell of each column, with the space beside it. */
function charactersOf({ columns, rows }: Table): readonly number[] {
  return columns.map(
    ({ title }, i) => BETWEEN + Math.max(plain(title).length, ...rows.map((cells) => printedLength(cells[i]!.line))),
  );
}

/** A citation is a number in brackets. */
function printedLength(line: Line): number {
  const cited = line.flatMap((inline) => (inline.kind === 'cite' ? inline.keys : [])).length;
  return plain(line).length + 4 * cited;
}

function sum(a: number, b: number): number {
  return a + b;
}

function latexCell({ line, mark }: Cell): string {
  const content = latexLine(line);
  if (mark === undefined) return content;
  return mark === 'best' ? `\\textbf{${content}}` : `\\underline{${content}}`;
}

export function latexLine(line: Line): string {
  return line.map(latexInline).join('');
}

function latexInline(inline: Inline): string {
  switch (inline.kind) {
    case 'text':
      return withEdges(inline.text, latexText);
    case 'code':
      return latexCode(inline.text);
    case 'formula':
      return `$${latexFormula(inline.expression)}$`;
    case 'number':
      return `${latexText(inline.text)}${inline.spread === undefined ? '' : ` {\\scriptsize$\\pm$ ${latexText(inline.spread)}}`}`;
    case 'cite':
      return `\\cite{${inline.keys.join(',')}}`;
  }
}

/** Blanks around a piece stay: they stand between it and its neighbours. */
function withEdges(text: string, write: (text: string) => string): string {
  const [, before = '', after = ''] = /^(\s*).*?(\s*)$/s.exec(text) ?? [];
  return `${before === '' ? '' : ' '}${write(text)}${after === '' || text.trim() === '' ? '' : ' '}`;
}
