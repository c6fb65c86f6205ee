import type { Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Edit } from '../check/diagnostics.ts';
import type { Span } from '../syntax/syntax.ts';

/** A span of offsets as lines and characters. */
export function rangeOf(source: TextDocument, { start, end }: Span): Range {
  return { start: source.positionAt(start), end: source.positionAt(end) };
}

/** Our edit in the protocol's form. */
export function textEdit(source: TextDocument, edit: Edit): { range: Range; newText: string } {
  return { range: rangeOf(source, edit), newText: edit.text };
}
