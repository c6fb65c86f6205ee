export interface MarkdownColumn {
  /** Markdown. */
  readonly title: string;
  /** Numbers stand right. */
  readonly isNumber: boolean;
}

/** A table whose columns are in line, so that it reads as it is. @param rows Markdown */
export function markdownTable(columns: readonly MarkdownColumn[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, i) => Math.max(3, title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (columns[i]!.isNumber ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = columns.map(({ isNumber }, i) => (isNumber ? `${'-'.repeat(widths[i]! - 1)}:` : '-'.repeat(widths[i]!)));
  return [line(columns.map(({ title }) => title)), line(rule), ...rows.map(line)].join('\n');
}
