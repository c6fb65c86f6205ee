import { DocumentHighlightKind } from 'vscode-languageserver';
import type { DocumentHighlight, Hover, Location, Range, TextEdit } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { isOperandName } from '../../metric/operands.ts';
import { isOperationName } from '../../metric/operations.ts';
import { compile } from '../check/compile.ts';
import { describeSymbol } from './describe.ts';
import type { CompiledDocument, TaskDeclaration } from '../check/document.ts';
import type { FirstDocuments } from './firstDocuments.ts';
import type { DeclaredSymbol, Site } from '../check/symbols.ts';
import { siteAt, sitesOfSymbol } from '../check/sites.ts';
import { isName } from '../syntax/words.ts';
import { rangeOf } from './positions.ts';

/** What the name under the cursor stands for. @param firstOf the first documents of a task of the file, where known */
export function hover(
  document: CompiledDocument,
  source: TextDocument,
  offset: number,
  firstOf?: (task: TaskDeclaration) => FirstDocuments | undefined,
): Hover | undefined {
  const site = siteAt(document, offset);
  if (site === undefined) return undefined;
  return {
    contents: { kind: 'markdown', value: describeSymbol(document, site.symbol, firstOf) },
    range: rangeOf(source, site),
  };
}

/** Where the name under the cursor is declared. */
export function definition(document: CompiledDocument, source: TextDocument, offset: number): Location | undefined {
  const symbol = declaredAt(document, offset);
  return symbol && { uri: source.uri, range: rangeOf(source, symbol.span) };
}

/** Every place where the name under the cursor stands for the same thing. */
export function references(
  document: CompiledDocument,
  source: TextDocument,
  offset: number,
  includeDeclaration: boolean,
): Location[] {
  const site = siteAt(document, offset);
  if (site === undefined) return [];
  return sitesOfSymbol(document, site.symbol)
    .filter(({ isDeclaration }) => includeDeclaration || !isDeclaration)
    .map((place) => ({ uri: source.uri, range: rangeOf(source, place) }));
}

export function highlights(document: CompiledDocument, source: TextDocument, offset: number): DocumentHighlight[] {
  const site = siteAt(document, offset);
  if (site === undefined) return [];
  return sitesOfSymbol(document, site.symbol).map((place) => ({
    range: rangeOf(source, place),
    kind: place.isDeclaration ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
  }));
}

/** The name that a rename would change; undefined where there is none of the file's own. */
export function renamable(document: CompiledDocument, source: TextDocument, offset: number): Range | undefined {
  const site = siteAt(document, offset);
  return site && 'span' in site.symbol ? rangeOf(source, site) : undefined;
}

/** The edits of a rename, or why it cannot be done. */
export type Rename = { readonly edits: TextEdit[] } | { readonly refusal: string };

/** Gives the name under the cursor a new name wherever it stands for the same thing, unless that changes what a name means. */
export function rename(document: CompiledDocument, source: TextDocument, offset: number, newName: string): Rename {
  const symbol = declaredAt(document, offset);
  if (symbol === undefined) return { refusal: 'this is no name that the file declares' };
  if (!isName(newName)) return { refusal: 'a name has letters, digits and `_`, and begins with no digit' };
  if (isOperandName(newName) || isOperationName(newName)) {
    return { refusal: `\`${newName}\` is a name of the language: choose another one` };
  }
  const sites = sitesOfSymbol(document, symbol);
  if (newName !== symbol.name && changesMeaning(document, symbol, sites, newName)) {
    return { refusal: `\`${newName}\` stands for something else here: choose another name` };
  }
  return { edits: sites.map((site) => ({ range: rangeOf(source, site), newText: newName })) };
}

/** Whether some name would stand for something else than before: the renamed file is read, and its uses are counted. */
function changesMeaning(
  document: CompiledDocument,
  symbol: DeclaredSymbol,
  sites: readonly Site[],
  newName: string,
): boolean {
  let text = '';
  let from = 0;
  for (const { start, end } of sites) {
    text += document.text.slice(from, start) + newName;
    from = end;
  }
  const renamed = compile(text + document.text.slice(from), document);
  const before = sites.filter(({ start }) => start < symbol.span.start).length;
  const declared = symbol.span.start + before * (newName.length - symbol.name.length);
  const site = siteAt(renamed, declared);
  const same = site?.symbol.kind === symbol.kind ? sitesOfSymbol(renamed, site.symbol) : [];
  const errors = ({ diagnostics }: CompiledDocument): number =>
    diagnostics.filter(({ severity }) => severity === 'error').length;
  return same.length !== sites.length || errors(renamed) > errors(document);
}

function declaredAt(document: CompiledDocument, offset: number): DeclaredSymbol | undefined {
  const symbol = siteAt(document, offset)?.symbol;
  return symbol && 'span' in symbol ? symbol : undefined;
}
