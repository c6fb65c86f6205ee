import { markdownCode } from '../../base/markdown.ts';
import { markdownWords } from './markdownWords.ts';
import { printInfix } from '../../metric/print.ts';
import type { Cell, Inline, Line, Table } from '../document.ts';

/** A table of GitHub's Markdown, its columns in line so that it reads as it is. Citations are LaTeX's affair. */
export function markdownTable({ columns, rows }: Table): string {
  const head = columns.map(({ title }) => markdownLine(title));
  const cells = rows.map((row) => row.map(markdownCell));
  const widths = head.map((title, i) => Math.max(3, title.length, ...cells.map((row) => row[i]!.length)));
  const isRight = (i: number): boolean => columns[i]!.align === 'right';
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (isRight(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (isRight(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(head), line(rule), ...cells.map(line)].join('\n');
}

export function markdownLine(line: Line): string {
  return line.map(markdownInline).join('').replaceAll(/ +/g, ' ').replaceAll(' ,', ',').trim();
}

function markdownCell({ line, mark }: Cell): string {
  const content = markdownLine(line);
  if (mark === undefined) return content;
  return mark === 'best' ? `**${content}**` : `<u>${content}</u>`;
}

function markdownInline(inline: Inline): string {
  switch (inline.kind) {
    case 'text': {
      const { text } = inline;
      const said = markdownWords(text);
      return `${/^\s/.test(text) ? ' ' : ''}${said}${/\s$/.test(text) ? ' ' : ''}`;
    }
    case 'code':
      return markdownCode(inline.text);
    case 'formula':
      return markdownCode(printInfix(inline.expression));
    case 'number':
      return inline.spread === undefined
        ? markdownWords(inline.text)
        : `${markdownWords(inline.text)} ± ${markdownWords(inline.spread)}`;
    case 'cite':
      return '';
  }
}
