import { parseDeclaration, parseProperty } from './parse.ts';
import type { Parsed } from './parse.ts';
import { splitBlock, splitFile } from './split.ts';
import type { Piece } from './split.ts';
import { visitExpression } from './syntax.ts';
import type { DeclarationSyntax, ExpressionSyntax, Identifier, PropertySyntax } from './syntax.ts';
import type { DeclarationKeyword } from './words.ts';

/** A file's pieces with their trees, and every tree by its text. */
export interface ParsedFile {
  readonly declarations: readonly ParsedDeclaration[];
  readonly trees: PieceTrees;
}

export interface ParsedDeclaration extends Piece {
  /** Offset in the file that the syntax counts from. */
  readonly base: number;
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
  /** The names that its expression uses, in the order of the text. */
  readonly names: readonly Identifier[];
}

/** Trees of a file's pieces by their texts. */
export interface PieceTrees {
  readonly declarations: ReadonlyMap<string, DeclarationTree>;
  readonly properties: ReadonlyMap<string, Parsed<PropertySyntax>>;
}

const NO_TREES: PieceTrees = { declarations: new Map(), properties: new Map() };

/** Cuts and parses a file; pieces whose text the previous version had as well keep their trees. */
export function parsePieces(text: string, previous: PieceTrees = NO_TREES): ParsedFile {
  const declarationTrees = new Map<string, DeclarationTree>();
  const propertyTrees = new Map<string, Parsed<PropertySyntax>>();
  const declarations = splitFile(text).map((piece): ParsedDeclaration => {
    const { keyword, misspelt, start, end } = piece;
    if (keyword === undefined) return { ...piece, base: start, tree: undefined, properties: [] };
    // A misspelt keyword is parsed as the right one; what follows it keeps its place.
    const written = text.slice(start, end);
    const source = misspelt === undefined ? written : keyword + written.slice(misspelt.length);
    const base = misspelt === undefined ? start : start + misspelt.length - keyword.length;
    const isBlock = keyword === 'experiment' || keyword === 'search' || keyword === 'defaults';
    const { frame, properties } = isBlock ? splitBlock(source) : { frame: source, properties: [] };
    return {
      ...piece,
      base,
      tree: remember(frame, declarationTrees, previous.declarations, (source) => parseTree(source, keyword)),
      properties: properties.map((property) => {
        const propertyText = source.slice(property.start, property.end);
        const tree = remember(propertyText, propertyTrees, previous.properties, parseProperty);
        return { base: base + property.start, text: propertyText, tree };
      }),
    };
  });
  return { declarations, trees: { declarations: declarationTrees, properties: propertyTrees } };
}

function remember<Tree>(
  text: string,
  trees: Map<string, Tree>,
  previous: ReadonlyMap<string, Tree>,
  parse: (text: string) => Tree,
): Tree {
  // A copy: a name that is a slice of this version of the file would keep all of it in memory for as long as the tree lives.
  const tree = trees.get(text) ?? previous.get(text) ?? parse(` ${text}`.slice(1));
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
      if (node.kind === 'name') names.push({ text: node.name, span: node.span });
      else if (node.kind === 'call') names.push(node.callee);
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
