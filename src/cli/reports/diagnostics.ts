import type { Style } from '../terminal.ts';

/** A diagnostic with its place counted as editors and compilers do. */
export interface SourceDiagnostic {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units, as editors count. */
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly severity: DiagnosticSeverity;
  readonly code: string;
  readonly message: string;
}

export type DiagnosticSeverity = 'error' | 'warning' | 'information' | 'hint';

/** A diagnostic as the compiler has it: offsets into the text. */
export interface OffsetDiagnostic {
  readonly severity: DiagnosticSeverity;
  readonly code: string;
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

/** Offsets into lines and columns, in the order of the text. */
export function locateDiagnostics(
  file: string,
  text: string,
  diagnostics: readonly OffsetDiagnostic[],
): SourceDiagnostic[] {
  const starts = lineStarts(text);
  return [...diagnostics]
    .sort((a, b) => a.start - b.start || a.end - b.end)
    .map(({ start, end, severity, code, message }) => {
      const from = position(starts, Math.min(start, text.length));
      const to = position(starts, Math.min(Math.max(start, end), text.length));
      return { file, ...from, endLine: to.line, endColumn: to.column, severity, code, message };
    });
}

/**
 * As a compiler prints it:
 *
 *     metrics.prune:3:16: error: unknown operation `tnah`: did you mean `tanh`? [unknown-operation]
 *       metric mine = tnah(W)
 *                     ^^^^
 */
export function printDiagnostic(diagnostic: SourceDiagnostic, text: string, style: Style): string {
  const { file, line, column, severity, code, message } = diagnostic;
  const paint = severity === 'error' ? style.red : severity === 'warning' ? style.yellow : style.cyan;
  const source = (text.split(LINE_END)[line - 1] ?? '').trimEnd();
  const end = diagnostic.endLine === line ? diagnostic.endColumn : source.length + 1;
  // Tabs stay tabs under tabs, so that the marks stand under what they mark whatever a tab's width is.
  const indent = source.slice(0, column - 1).replace(/[^\t]/g, ' ');
  const marks = '^'.repeat(Math.max(1, Math.min(end, source.length + 1) - column));
  return [
    `${style.bold(`${file}:${line}:${column}:`)} ${paint(`${severity}:`)} ${message} ${style.dim(`[${code}]`)}`,
    `  ${source}`,
    `  ${indent}${paint(marks)}`,
  ].join('\n');
}

const LINE_END = /\r\n|\r|\n/;

function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(new RegExp(LINE_END, 'g')), (match) => match.index + match[0].length)];
}

function position(starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}
