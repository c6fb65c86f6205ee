import { isOperandName } from '../../metric/operands.ts';
import { isOperationName } from '../../metric/operations.ts';
import { parseDeclaration, parseProperty } from './parse.ts';
import type { Parsed } from './parse.ts';
import { splitBlock, splitFile } from './split.ts';
import type { Piece } from './split.ts';
import { visitExpression } from './syntax.ts';
import type { DeclarationSyntax, ExpressionSyntax, Identifier, PropertySyntax } from './syntax.ts';
import type { DeclarationKeyword } from './words.ts';

/** A file's pieces with their trees. */
export interface ParsedFile {
  readonly text: string;
  readonly declarations: readonly ParsedDeclaration[];
}

/** Stays what it is from version to version of a file where neither it nor its place changes. */
export interface ParsedDeclaration extends Piece {
  /** Offset in the file that the syntax counts from. */
  readonly base: number;
  /** What its tree was made of: of a block the frame. */
  readonly text: string;
  /** Undefined for text that belongs to no declaration. */
  readonly tree: DeclarationTree | undefined;
  readonly properties: readonly ParsedProperty[];
}

export interface ParsedProperty {
  readonly base: number;
  readonly text: string;
  readonly tree: Parsed<PropertySyntax>;
}

export interface DeclarationTree extends Parsed<DeclarationSyntax> {
  /** The names that its expression uses, in the order of the text, without those of the language. */
  readonly names: readonly Identifier[];
}

export const NO_FILE: ParsedFile = { text: '', declarations: [] };

/** Cuts and parses a file; pieces that the previous version had as well keep their trees. */
export function parsePieces(text: string, previous: ParsedFile = NO_FILE): ParsedFile {
  const before = previous.declarations;
  const { head, middle, tail } = splitFile(text, { text: previous.text, pieces: before });
  const behind = before.length - tail;
  const changed = before.slice(head, behind);
  const trees = new Map(changed.map((piece) => [piece.text, piece.tree]));
  const properties = new Map(
    changed.flatMap((piece) => piece.properties.map((property) => [property.text, property.tree])),
  );
  const grown = text.length - previous.text.length;
  const declarations = [
    ...before.slice(0, head),
    ...middle.map((piece) => parsePiece(text, piece, trees, properties)),
    ...(grown === 0 ? before.slice(behind) : before.slice(behind).map((piece) => moved(piece, grown))),
  ];
  return { text, declarations };
}

/** @param trees @param properties of texts that are parsed already */
function parsePiece(
  text: string,
  piece: Piece,
  trees: Map<string, DeclarationTree | undefined>,
  properties: Map<string, Parsed<PropertySyntax>>,
): ParsedDeclaration {
  const { keyword, misspelt, start, end } = piece;
  if (keyword === undefined) return { ...piece, base: start, text: '', tree: undefined, properties: [] };
  // A misspelt keyword is parsed as the right one; what follows it keeps its place.
  const written = text.slice(start, end);
  const source = copied(misspelt === undefined ? written : keyword + written.slice(misspelt.length));
  const base = misspelt === undefined ? start : start + misspelt.length - keyword.length;
  const isBlock = keyword === 'experiment' || keyword === 'search' || keyword === 'defaults';
  const block = isBlock ? splitBlock(source) : { frame: source, properties: [] };
  return {
    ...piece,
    base,
    text: block.frame,
    tree: remembered(block.frame, trees, () => parseTree(block.frame, keyword)),
    properties: block.properties.map((property) => {
      const propertyText = source.slice(property.start, property.end);
      const tree = remembered(propertyText, properties, () => parseProperty(propertyText));
      return { base: base + property.start, text: propertyText, tree };
    }),
  };
}

function moved(piece: ParsedDeclaration, by: number): ParsedDeclaration {
  const { start, end, base, properties } = piece;
  return {
    ...piece,
    start: start + by,
    end: end + by,
    base: base + by,
    // Most pieces are metrics.
    properties:
      properties.length === 0 ? properties : properties.map((property) => ({ ...property, base: property.base + by })),
  };
}

/** What is a slice of a version of a file keeps all of it in memory for as long as it lives. */
function copied(text: string): string {
  return ` ${text}`.slice(1);
}

function remembered<Tree>(text: string, trees: Map<string, Tree>, parse: () => NonNullable<Tree>): NonNullable<Tree> {
  const tree = trees.get(text) ?? parse();
  trees.set(text, tree);
  return tree;
}

function parseTree(text: string, keyword: DeclarationKeyword): DeclarationTree {
  const parsed = parseDeclaration(text, keyword);
  return { ...parsed, names: namesIn(parsed.syntax) };
}

function namesIn(syntax: DeclarationSyntax): Identifier[] {
  const names: Identifier[] = [];
  const visit = (expression: ExpressionSyntax): void => {
    visitExpression(expression, (node) => {
      const name = node.kind === 'name' ? { text: node.name, span: node.span } : node.kind === 'call' && node.callee;
      if (name && !isOperandName(name.text) && !isOperationName(name.text)) names.push(name);
    });
  };
  if (syntax.kind === 'parameter') visit(syntax.value);
  if (syntax.kind === 'metric') {
    for (const parameter of syntax.parameters) visit(parameter.value);
    // A parameter of the metric's own hides a declaration of the same name.
    const local = new Set(syntax.parameters.map((parameter) => parameter.name.text));
    const inDefaults = names.length;
    visit(syntax.body);
    return names.filter((name, i) => i < inDefaults || !local.has(name.text));
  }
  return names;
}
