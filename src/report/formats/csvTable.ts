import { csv } from '../../base/csv.ts';
import { printInfix } from '../../metric/print.ts';
import type { Cell, Inline, Line, Table } from '../document.ts';

/** Comma-separated values, numbers with all their digits. */
export function csvTable({ columns, rows }: Table): string {
  return csv([columns.map(({ title }) => plain(title)), ...rows.map((row) => row.map(cell))]);
}

function cell({ line, exact }: Cell): string {
  const said = exact ?? plain(line);
  // What a spreadsheet would compute begins with a quote: it is what somebody said.
  return /^[=+@\t\r]|^-(?!\d)/.test(said) ? `'${said}` : said;
}

/** A line without any markup. */
export function plain(line: Line): string {
  return line.map(inlineText).join('').replaceAll(/\s+/g, ' ').trim();
}

function inlineText(inline: Inline): string {
  switch (inline.kind) {
    case 'text':
    case 'code':
      return inline.text;
    case 'formula':
      return printInfix(inline.expression);
    case 'number':
      return inline.spread === undefined ? inline.text : `${inline.text} ± ${inline.spread}`;
    case 'cite':
      return '';
  }
}
