import { FoldingRangeKind, SymbolKind } from 'vscode-languageserver';
import type { DocumentSymbol, FoldingRange } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CompiledDocument, Declaration } from '../check/document.ts';
import type { Span } from '../syntax/syntax.ts';
import { rangeOf } from './positions.ts';

/** The declarations of a file, with the properties of each block. */
export function documentSymbols(document: CompiledDocument, source: TextDocument): DocumentSymbol[] {
  const pieces = new Map(document.parsed.declarations.map((piece) => [piece.start, piece]));
  return document.declarations
    .filter(({ name }) => name !== '')
    .map((declaration) => ({
      name: declaration.name,
      detail: detailOf(declaration),
      kind: KINDS[declaration.kind],
      range: rangeOf(source, declaration),
      selectionRange: rangeOf(source, declaration.nameSpan),
      children: (pieces.get(declaration.start)?.properties ?? []).map(({ base, tree, text }) => {
        const { key, span } = tree.syntax;
        return {
          name: key.text,
          detail: text.slice(key.span.end, span.end).replace(/^\s*:\s*/, ''),
          kind: SymbolKind.Property,
          range: rangeOf(source, { start: base + span.start, end: base + span.end }),
          selectionRange: rangeOf(source, { start: base + key.span.start, end: base + key.span.end }),
        };
      }),
    }));
}

/** Declarations over several lines, and comments over several lines. */
export function foldingRanges(document: CompiledDocument, source: TextDocument): FoldingRange[] {
  const lines = (span: Span): { startLine: number; endLine: number } => ({
    startLine: source.positionAt(span.start).line,
    endLine: source.positionAt(span.end).line,
  });
  const comments = [...document.text.matchAll(COMMENT_LINES)].map((match) => ({
    ...lines({ start: match.index, end: match.index + match[0].trimEnd().length }),
    kind: FoldingRangeKind.Comment,
  }));
  return [...document.declarations.map(lines), ...comments].filter(({ startLine, endLine }) => endLine > startLine);
}

/** Two or more lines in a row that hold nothing but a comment. */
const COMMENT_LINES = /^[ \t]*\/\/[^\n\r]*(?:(?:\r\n|\n|\r)[ \t]*\/\/[^\n\r]*)+/gm;

const KINDS: Readonly<Record<Declaration['kind'], SymbolKind>> = {
  model: SymbolKind.File,
  corpus: SymbolKind.File,
  task: SymbolKind.File,
  parameter: SymbolKind.Constant,
  metric: SymbolKind.Function,
  experiment: SymbolKind.Event,
  defaults: SymbolKind.Namespace,
  search: SymbolKind.Event,
};

function detailOf(declaration: Declaration): string {
  if (declaration.kind === 'parameter') return declaration.value === undefined ? '' : String(declaration.value);
  if (declaration.kind === 'task') return declaration.file ?? '';
  if (declaration.kind === 'model' || declaration.kind === 'corpus') return declaration.path ?? '';
  return declaration.kind === 'defaults' ? '' : declaration.kind;
}
