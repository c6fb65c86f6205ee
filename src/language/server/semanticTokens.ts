import { SemanticTokensBuilder, SemanticTokenModifiers, SemanticTokenTypes } from 'vscode-languageserver';
import type { Range, SemanticTokens, SemanticTokensLegend } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CompiledDocument } from '../check/document.ts';
import type { FileSymbol } from '../check/symbols.ts';
import { blockKindOf, propertyOf } from '../check/properties.ts';
import { sitesOf } from '../check/sites.ts';
import { CORPUS_SETTINGS } from '../check/settingProperties.ts';
import type { Property } from '../check/property.ts';
import { visitExpression } from '../syntax/syntax.ts';
import type { ArgumentSyntax, Identifier, Span } from '../syntax/syntax.ts';
import { tokensOf } from '../syntax/tokens.ts';

/** Types and modifiers of the protocol, so that every theme has colours for them. */
type TokenType = 'keyword' | 'function' | 'variable' | 'parameter' | 'class' | 'property' | 'number' | 'enumMember';
type Modifier = 'declaration' | 'readonly' | 'defaultLibrary';

const TYPES: readonly TokenType[] = [
  SemanticTokenTypes.keyword,
  SemanticTokenTypes.function,
  SemanticTokenTypes.variable,
  SemanticTokenTypes.parameter,
  SemanticTokenTypes.class,
  SemanticTokenTypes.property,
  SemanticTokenTypes.number,
  SemanticTokenTypes.enumMember,
];
const MODIFIERS: readonly Modifier[] = [
  SemanticTokenModifiers.declaration,
  SemanticTokenModifiers.readonly,
  SemanticTokenModifiers.defaultLibrary,
];

export const SEMANTIC_LEGEND: SemanticTokensLegend = { tokenTypes: [...TYPES], tokenModifiers: [...MODIFIERS] };

/** What each name, number and keyword is, by what it stands for: what a grammar of colours cannot know. */
export function semanticTokens(document: CompiledDocument, source: TextDocument, range?: Range): SemanticTokens {
  const start = range === undefined ? 0 : source.offsetAt(range.start);
  const end = range === undefined ? document.text.length : source.offsetAt(range.end);
  const builder = new SemanticTokensBuilder();
  for (const token of meaningfulTokens(document)) {
    if (token.end < start || token.start > end) continue;
    const { line, character } = source.positionAt(token.start);
    const modifiers = token.modifiers.reduce((bits, name) => bits | (1 << MODIFIERS.indexOf(name)), 0);
    builder.push(line, character, token.end - token.start, TYPES.indexOf(token.type), modifiers);
  }
  return builder.build();
}

interface MeaningfulToken extends Span {
  readonly type: TokenType;
  readonly modifiers: readonly Modifier[];
}

/** In the order of the text, none within another. */
export function meaningfulTokens(document: CompiledDocument): MeaningfulToken[] {
  const { text, parsed } = document;
  const names = new Map<number, MeaningfulToken>();
  for (const { start, end, symbol, isDeclaration } of sitesOf(document)) {
    const { type, modifiers } = KINDS[symbol.kind];
    names.set(start, { start, end, type, modifiers: isDeclaration ? [...modifiers, 'declaration'] : modifiers });
  }
  for (const piece of parsed.declarations) {
    const { start, keyword, misspelt, properties } = piece;
    if (keyword === undefined) continue;
    const end = start + (misspelt ?? keyword).length;
    names.set(start, { start, end, type: 'keyword', modifiers: [] });
    const addChoice = (base: number, { span }: Pick<Identifier, 'span'>): void => {
      const [from, to] = [base + span.start, base + span.end];
      names.set(from, { start: from, end: to, type: 'enumMember', modifiers: [] });
    };
    const addChoices = (base: number, given: readonly ArgumentSyntax[], allowed: readonly Property[]): void => {
      for (const { name, value } of given) {
        const property = allowed.find((known) => known.name === name?.text);
        if (property?.setting?.row.kind === 'choice') addChoice(base, value);
      }
    };
    const syntax = piece.tree?.syntax;
    if (syntax?.kind === 'metric' && syntax.group) addChoice(piece.base, syntax.group);
    if (syntax?.kind === 'corpus') addChoices(piece.base, syntax.path?.arguments ?? [], CORPUS_SETTINGS);
    if (keyword !== 'experiment' && keyword !== 'search' && keyword !== 'defaults') continue;
    const block = blockKindOf(piece);
    for (const { base, tree } of properties) {
      const property = propertyOf(block, tree.syntax.key.text);
      const { values } = tree.syntax;
      for (const value of values) {
        visitExpression(value, ({ group }) => {
          if (group) addChoice(base, group);
        });
        if (value.kind === 'quantity') {
          const [from, to] = [base + value.span.start, base + value.span.end];
          names.set(from, { start: from, end: to, type: 'number', modifiers: [] });
        }
      }
      const [value] = values;
      if (property === undefined || value === undefined) continue;
      if (property.setting?.row.kind === 'choice') addChoice(base, value);
      if (value.kind === 'call' || value.kind === 'text') addChoices(base, value.arguments, property.arguments ?? []);
    }
  }
  let end = 0;
  return tokensOf(text).flatMap((token): MeaningfulToken[] => {
    const { kind, start } = token;
    const isNumber = kind === 'number' || kind === 'percentage' || kind === 'ratio';
    const found =
      isNumber && !names.has(start)
        ? { start, end: token.end, type: 'number' as const, modifiers: [] }
        : names.get(start);
    if (found === undefined || start < end || kind === 'comment') return [];
    // A choice over several lines or with a comment in it is none.
    if (/[\n\r]|\/\//.test(text.slice(found.start, found.end))) return [];
    end = found.end;
    return [found];
  });
}

const KINDS: Readonly<Record<FileSymbol['kind'], { type: TokenType; modifiers: readonly Modifier[] }>> = {
  operation: { type: 'function', modifiers: ['defaultLibrary'] },
  operand: { type: 'variable', modifiers: ['readonly', 'defaultLibrary'] },
  metric: { type: 'function', modifiers: [] },
  parameter: { type: 'variable', modifiers: ['readonly'] },
  'metric-parameter': { type: 'parameter', modifiers: [] },
  model: { type: 'variable', modifiers: ['readonly'] },
  corpus: { type: 'variable', modifiers: ['readonly'] },
  task: { type: 'variable', modifiers: ['readonly'] },
  'known-task': { type: 'enumMember', modifiers: [] },
  experiment: { type: 'class', modifiers: [] },
  search: { type: 'class', modifiers: [] },
  property: { type: 'property', modifiers: [] },
  'structure-method': { type: 'enumMember', modifiers: [] },
  clause: { type: 'function', modifiers: ['defaultLibrary'] },
  allocation: { type: 'enumMember', modifiers: [] },
  update: { type: 'enumMember', modifiers: [] },
  recovery: { type: 'enumMember', modifiers: [] },
  protocol: { type: 'enumMember', modifiers: [] },
};
