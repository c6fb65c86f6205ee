import type { Cell, Column, Inline, Line, Table } from '../document.ts';
import { latexFormula } from './latexFormula.ts';
import { latexCode, latexText } from './latexText.ts';

/** A table for a file that a paper takes in with `\input`: booktabs, its caption above, its notes below. */
export function latexTable(table: Table): string {
  return [
    '\\begin{table}[htbp]',
    '\\centering\\small',
    `\\caption{${latexLine(table.caption)}}`,
    `\\label{tab:${table.id}}`,
    ...latexTabular(table),
    ...(table.notes.length === 0
      ? []
      : ['\\par\\smallskip', `{\\footnotesize\\raggedright ${table.notes.map(latexLine).join(' ')}\\par}`]),
    '\\end{table}',
    '',
  ].join('\n');
}

/** Its lines alone: what is copied into a table that one has. Wide ones are made to fit the text. */
export function latexTabular({ columns, rows, headRows = 0 }: Table): readonly string[] {
  const isWrapped = columns.some(({ align }) => align === 'wrapped');
  const shares = wrappedShare(columns);
  const specification = columns
    .map(({ align }) => (align === 'wrapped' ? `p{${shares}\\linewidth}` : align[0]))
    .join('');
  const row = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`;
  const lines = rows.map((cells) => row(cells.map(latexCell)));
  const body = [
    `\\begin{tabular}{@{}${specification}@{}}`,
    '\\toprule',
    row(columns.map(({ title }) => latexLine(title))),
    '\\midrule',
    ...lines.slice(0, headRows),
    ...(headRows > 0 && lines.length > headRows ? ['\\midrule'] : []),
    ...lines.slice(headRows),
    '\\bottomrule',
    '\\end{tabular}',
  ];
  // Many columns are scaled down together: a line that runs out of the page is worse than a small one.
  return isWrapped || columns.length <= FIT_COLUMNS
    ? body
    : ['\\resizebox{\\linewidth}{!}{%', ...body.slice(0, -1), `${body.at(-1)!}}`];
}

/** So many columns of numbers have room side by side. */
const FIT_COLUMNS = 5;

/** What of a line's width one of the wrapped columns has. */
function wrappedShare(columns: readonly Column[]): string {
  const wrapped = columns.filter(({ align }) => align === 'wrapped').length;
  const others = columns.length - wrapped;
  return ((0.9 - 0.11 * others) / Math.max(1, wrapped)).toFixed(2).replace(/^-.*$|^0\.[01]\d$/, '0.20');
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
