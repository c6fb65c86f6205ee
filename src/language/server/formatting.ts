import type { FormattingOptions, Position, Range, TextEdit } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CompiledDocument } from '../check/document.ts';
import { formatEdits } from '../format/format.ts';
import type { Span } from '../syntax/syntax.ts';
import { textEdit } from './positions.ts';

/** Characters behind which a part of the file is laid out, where the editor asks for it. */
export const FORMAT_TRIGGERS = ['}', '\n'] as const;

export function formatDocument(
  document: CompiledDocument,
  source: TextDocument,
  options: FormattingOptions,
): TextEdit[] {
  return editsIn(document, source, options, { start: 0, end: document.text.length });
}

/** Lays out the lines that a range touches. */
export function formatRange(
  document: CompiledDocument,
  source: TextDocument,
  range: Range,
  options: FormattingOptions,
): TextEdit[] {
  const start = source.offsetAt({ line: range.start.line, character: 0 });
  // A selection that ends before the first character of a line does not mean this line.
  const isBefore = range.end.character === 0 && range.end.line > range.start.line;
  const end = source.offsetAt(isBefore ? range.end : { line: range.end.line + 1, character: 0 });
  return editsIn(document, source, options, { start, end });
}

/** Behind `}` the block that it closes; behind a line end the lines above, up to an empty one, since they are aligned. */
export function formatOnType(
  document: CompiledDocument,
  source: TextDocument,
  position: Position,
  character: string,
  options: FormattingOptions,
): TextEdit[] {
  const offset = source.offsetAt(position);
  if (character === '}') {
    const block = document.declarations.find(({ start, end }) => start < offset && offset <= end);
    return block?.end === offset ? editsIn(document, source, options, { start: block.start, end: offset }) : [];
  }
  const { text } = document;
  const end = text.slice(0, source.offsetAt({ line: position.line, character: 0 })).trimEnd().length;
  const lines = text.slice(0, end).split(/\r\n|\n|\r/);
  const written = source.positionAt(end).line;
  if (written !== position.line - 1) return [];
  const first = lines.findLastIndex((line) => line.trim() === '') + 1;
  return editsIn(document, source, options, { start: source.offsetAt({ line: first, character: 0 }), end });
}

/**
 * The edits before the tokens of a span. Of the one before the first token only what is on its line: the lines above are
 * not asked about.
 */
function editsIn(
  document: CompiledDocument,
  source: TextDocument,
  { insertSpaces, tabSize }: FormattingOptions,
  { start, end }: Span,
): TextEdit[] {
  const indent = insertSpaces ? ' '.repeat(Math.min(16, Math.max(1, tabSize))) : '\t';
  const isToTheEnd = end === document.text.length;
  return formatEdits(document, { indent }).flatMap((edit) => {
    if (edit.end < start || edit.end > end || (edit.end === end && !isToTheEnd)) return [];
    if (edit.start >= start) return [textEdit(source, edit)];
    const lastLine = /[\n\r]([^\n\r]*)$/.exec(edit.text)?.[1];
    return lastLine === undefined ? [] : [textEdit(source, { start, end: edit.end, text: lastLine })];
  });
}
