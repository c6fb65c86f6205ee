import type { LangiumParser } from 'langium';
import type * as Ast from './generated/ast.ts';
import { createGrammarParser } from './grammarServices.ts';
import { lowerDeclaration, lowerExpression, lowerProperty } from './lower.ts';
import { findNestingProblem } from './nesting.ts';
import type { DeclarationSyntax, ExpressionSyntax, PropertySyntax } from './syntax.ts';
import { firstProblem } from './syntaxProblem.ts';
import type { SyntaxProblem } from './syntaxProblem.ts';

/** What a piece of text parses to: with a problem, the tree holds what could be made out. */
export interface Parsed<Syntax> {
  readonly syntax: Syntax | undefined;
  readonly problem: SyntaxProblem | undefined;
}

/** Parses one declaration (of a block: its frame). Never throws. */
export function parseDeclaration(text: string): Parsed<DeclarationSyntax> {
  return parsePiece(text, 'Declaration', (node) => lowerDeclaration(node as Ast.Declaration));
}

/** Parses one property of a block. Never throws. */
export function parseProperty(text: string): Parsed<PropertySyntax> {
  return parsePiece(text, 'Property', (node) => lowerProperty(node as Ast.Property));
}

/** Parses a lone expression. Never throws. */
export function parseExpressionText(text: string): Parsed<ExpressionSyntax> {
  return parsePiece(text, 'Expression', (node) =>
    lowerExpression(node as Ast.Expression, { start: 0, end: text.length }),
  );
}

function parsePiece<Syntax>(
  text: string,
  rule: 'Declaration' | 'Property' | 'Expression',
  lower: (node: unknown) => Syntax | undefined,
): Parsed<Syntax> {
  const nesting = findNestingProblem(text);
  if (nesting) return { syntax: undefined, problem: { code: 'syntax/too-deep', ...nesting } };
  parser ??= createGrammarParser();
  try {
    const result = parser.parse(text, { rule });
    return { syntax: lower(result.value), problem: firstProblem(text, result) };
  } catch (cause) {
    // The stack was nearly full before we were called, or the parser has a defect: either way its state is lost.
    parser = undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `this cannot be read: ${reason}`;
    return { syntax: undefined, problem: { code: 'syntax/too-deep', span: { start: 0, end: text.length }, message } };
  }
}

/** Built when it is first needed (about 25 ms), then kept: it holds nothing of what it has parsed. */
let parser: LangiumParser | undefined;
