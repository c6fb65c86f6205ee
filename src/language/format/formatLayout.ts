import { OWN_MASK } from '../../experiment/planned.ts';
import { isStructureMethod } from '../../experiment/structureNames.ts';
import type { CompiledDocument } from '../check/document.ts';
import type { ParsedDeclaration, ParsedProperty } from '../syntax/pieces.ts';
import { blockKindOf, propertyOf } from '../check/properties.ts';
import type { BlockKind } from '../check/properties.ts';
import type { Property } from '../check/property.ts';
import { CORPUS_SETTINGS } from '../check/settingProperties.ts';
import type { Span } from '../syntax/syntax.ts';
import { tokensOf } from '../syntax/tokens.ts';
import type { Token } from '../syntax/tokens.ts';

/** The blanks before a token, or behind the last one: as they are, and as they should be. */
export interface Gap extends Span {
  /** Undefined behind the last token. */
  readonly token: Token | undefined;
  /** Of the declaration that the token belongs to; a comment above a declaration belongs to the one before. */
  readonly piece: ParsedDeclaration | undefined;
  /** Whether it may be changed: not in what has a syntax error. */
  readonly editable: boolean;
  /** Line ends: 2 leave one line empty. */
  readonly breaks: number;
  /** Spaces or indentation behind them. */
  readonly blanks: string;
}

/** How the blanks of a file should be, alignment aside. */
export function layOut(document: CompiledDocument, options: FormatOptions): Gap[] {
  return new Layout(document, options).gaps();
}

type Wanted = Pick<Gap, 'breaks' | 'blanks'>;

/** A declaration with its tokens. */
interface Section {
  readonly piece: ParsedDeclaration;
  /** Which properties it has, if any. */
  readonly block: BlockKind;
  readonly tokens: readonly Token[];
  readonly isSound: boolean;
  /** Places in `tokens`; the code ends before the comments that stand above the next declaration. */
  readonly lastCode: number;
  readonly open: number;
  /** Of a block over several lines. */
  readonly isSpread: boolean;
}

class Layout {
  private readonly document: CompiledDocument;
  private readonly options: FormatOptions;

  constructor(document: CompiledDocument, options: FormatOptions) {
    this.document = document;
    this.options = options;
  }

  gaps(): Gap[] {
    const { text } = this.document;
    const gaps: Gap[] = [];
    // A byte order mark stays where it is.
    let end = text.startsWith('\uFEFF') ? 1 : 0;
    let isEditable = true;
    for (const section of this.sections()) {
      const wanted = section.isSound ? this.wantedOf(section, end, gaps.length === 0) : [];
      section.tokens.forEach((token, i) => {
        const want = i > 0 || isEditable ? wanted[i] : undefined;
        const written = want ? '' : text.slice(end, token.start);
        const { breaks, blanks } = want ?? { breaks: lineEnds(written), blanks: written };
        const { piece } = section;
        gaps.push({ start: end, end: token.start, token, piece, editable: want !== undefined, breaks, blanks });
        end = token.end;
      });
      if (section.tokens.length > 0) isEditable = section.isSound;
    }
    const last = { token: undefined, piece: undefined, editable: isEditable, blanks: '' };
    gaps.push({ start: end, end: text.length, ...last, breaks: gaps.length > 0 ? 1 : 0 });
    return gaps;
  }

  private sections(): Section[] {
    const { text, parsed } = this.document;
    const tokens = tokensOf(text);
    let next = 0;
    return parsed.declarations.map((piece) => {
      const first = next;
      while (next < tokens.length && tokens[next]!.start < piece.end) next++;
      const own = tokens.slice(first, next);
      const lastCode = own.findLastIndex(({ kind }) => kind !== 'comment');
      const open = own.findIndex((token) => token.text === '{');
      const inside = open < 0 ? '' : text.slice(own[open]!.end, own[lastCode]!.start);
      const isSpread = lineEnds(inside) > 0;
      return { piece, block: blockKindOf(piece), tokens: own, isSound: isSound(piece, own), lastCode, open, isSpread };
    });
  }

  /** @param endBefore where the token before the first one ends @param isFirst whether there is none */
  private wantedOf(section: Section, endBefore: number, isFirst: boolean): Wanted[] {
    const { piece, tokens, lastCode } = section;
    const properties = new Map(piece.properties.map((property) => [property.base, property]));
    let property: ParsedProperty | undefined;
    let depth = 0;
    return tokens.map((token, i) => {
      if (i <= lastCode && properties.has(token.start)) {
        property = properties.get(token.start);
        depth = 0;
      }
      const existing = lineEnds(this.document.text.slice(tokens[i - 1]?.end ?? endBefore, token.start));
      if (i === 0) return { breaks: isFirst ? 0 : Math.min(2, Math.max(1, existing)), blanks: '' };
      const wanted = this.wantedAt(section, i, property, depth, existing);
      if (token.kind === 'sign' && token.text === '(') depth++;
      if (token.kind === 'sign' && token.text === ')') depth--;
      return wanted;
    });
  }

  /** @param existing line ends before the token as they are @param depth parentheses that are open before it */
  private wantedAt(
    section: Section,
    i: number,
    property: ParsedProperty | undefined,
    depth: number,
    existing: number,
  ): Wanted {
    const { block, tokens, lastCode, open } = section;
    const token = tokens[i]!;
    const isComment = token.kind === 'comment';
    const afterComment = tokens[i - 1]?.kind === 'comment';
    // A comment behind code on its line, or above the next declaration.
    if (isComment && existing === 0) return { breaks: 0, blanks: '  ' };
    if (i > lastCode) return { breaks: Math.min(2, existing), blanks: '' };
    if (i === open) return afterComment ? { breaks: 1, blanks: '' } : { breaks: 0, blanks: ' ' };
    const isInBlock = open >= 0 && i > open;
    if (isInBlock) {
      const isEntry = i === lastCode || i === open + 1 || property === undefined || property.base === token.start;
      const isBetween = isComment && !continuesBehind(section, i, property);
      if (isEntry || isBetween) return this.wantedOfEntry(section, i, existing);
    }
    if (existing > 0 || afterComment) {
      // A closing parenthesis stands below the line that has opened it.
      const levels = token.text === ')' ? Math.max(0, depth - 1) : Math.max(1, depth);
      return { breaks: 1, blanks: this.indent((isInBlock ? 1 : 0) + levels) };
    }
    const known = property && propertyOf(block, property.tree.syntax.key.text);
    if (property !== undefined && known === undefined) {
      // Nothing is known of its value: `pruner-zero` might be one word.
      return { breaks: 0, blanks: this.document.text.slice(tokens[i - 1]!.end, token.start) };
    }
    const settings = section.piece.keyword === 'corpus' ? CORPUS_SETTINGS : (known?.arguments ?? []);
    return { breaks: 0, blanks: blanksBetween(tokens, i, known, settings) };
  }

  /** Of a property, of a comment between properties, and of the brace that closes a block. */
  private wantedOfEntry({ open, lastCode, isSpread }: Section, i: number, existing: number): Wanted {
    const isFirst = i === open + 1;
    if (i === lastCode) return isSpread ? { breaks: 1, blanks: '' } : { breaks: 0, blanks: isFirst ? '' : ' ' };
    if (!isSpread) return { breaks: 0, blanks: isFirst ? ' ' : '  ' };
    if (isFirst) return { breaks: 1, blanks: this.indent(1) };
    return existing === 0 ? { breaks: 0, blanks: '  ' } : { breaks: Math.min(2, existing), blanks: this.indent(1) };
  }

  private indent(levels: number): string {
    return this.options.indent.repeat(levels);
  }
}

/** An expression on one line, as it is laid out, comments left out: the same however it was typed. */
export function evenedOut(expression: string): string {
  const tokens = tokensOf(expression).filter(({ kind }) => kind !== 'comment');
  return tokens.map(({ text }, i) => (i === 0 ? text : blanksBetween(tokens, i, undefined) + text)).join('');
}

/** Whether more of a property follows behind a comment in it. */
function continuesBehind({ tokens, lastCode }: Section, i: number, property: ParsedProperty | undefined): boolean {
  if (property === undefined) return false;
  const end = property.base + property.tree.syntax.span.end;
  return i < lastCode && tokens[i]!.start < end;
}

/** Properties with settings in parentheses behind their values. */
const SPACED: ReadonlySet<Property['value']> = new Set(['corpus', 'model', 'update', 'recovery', 'tasks'] as const);

/** The blanks between two tokens of one line. @param settings that can stand in parentheses behind a text */
function blanksBetween(
  tokens: readonly Token[],
  i: number,
  property: Property | undefined,
  settings: readonly Property[] = [],
): string {
  const [before, token] = [tokens[i - 1]!, tokens[i]!];
  const [left, right] = [signOf(before), signOf(token)];
  if ([',', ')', ']', ':'].includes(right) || left === '(' || left === '[') return '';
  if (left === '-' && !endsOperand(tokens[i - 2])) return '';
  if (left === ',' || left === ':') return ' ';
  // `1.5x faster`
  if (before.kind === 'number' && token.text === 'x') return '';
  if (right === '(' && before.kind === 'name') {
    if (tokens[i + 1]?.text === 'group' && tokens[i + 2]?.text === ':') return ' ';
    if (tokens[i - 2]?.text === 'then' || before.text === OWN_MASK) return ' ';
    return property !== undefined && SPACED.has(property.value) ? ' ' : '';
  }
  // `pruner-zero` is one word.
  const isChoice =
    property?.setting?.row.kind === 'choice' || isMethodName(tokens, i, property) || isChoiceOf(tokens, i, settings);
  return isChoice && (left === '-' || right === '-') ? '' : ' ';
}

/** Whether the hyphen beside the token stands in the name of a method (`wanda-sp`), where one can stand. */
function isMethodName(tokens: readonly Token[], i: number, property: Property | undefined): boolean {
  const hyphen = signOf(tokens[i]!) === '-' ? i : i - 1;
  const [first, second] = [tokens[hyphen - 1], tokens[hyphen + 1]];
  if (!first || !second || !isStructureMethod(`${first.text}-${second.text}`)) return false;
  // Elsewhere it is a subtraction, unless it is what `structure(` begins with, or `score:`.
  const isScore = property?.value === 'target' || property?.value === 'score' || property?.value === 'structures';
  const before = `${tokens[hyphen - 3]?.text ?? ''}${tokens[hyphen - 2]?.text ?? ''}`;
  return isScore || before === 'structure(' || before === 'score:';
}

/** Whether the hyphen beside the token stands in the value of such a setting: `join: blank-line`. */
function isChoiceOf(tokens: readonly Token[], i: number, settings: readonly Property[]): boolean {
  const hyphen = signOf(tokens[i]!) === '-' ? i : i - 1;
  const [name, colon] = [tokens[hyphen - 3]?.text, tokens[hyphen - 2]?.text];
  return colon === ':' && settings.some((known) => known.name === name && known.setting?.row.kind === 'choice');
}

function signOf({ kind, text }: Token): string {
  return kind === 'sign' ? text : '';
}

/** Whether a minus sign behind it subtracts. */
function endsOperand(token: Token | undefined): boolean {
  return token !== undefined && (token.kind !== 'sign' || token.text === ')');
}

function isSound({ keyword, misspelt, tree, properties }: ParsedDeclaration, tokens: readonly Token[]): boolean {
  if (keyword === undefined) return tokens.every(({ kind }) => kind === 'comment');
  const trees = [tree, ...properties.map((property) => property.tree)];
  return misspelt === undefined && trees.every((part) => part?.problem === undefined);
}

function lineEnds(blanks: string): number {
  return blanks.length < 2 && blanks !== '\n' && blanks !== '\r' ? 0 : countLineEnds(blanks);
}

function countLineEnds(blanks: string): number {
  return blanks.match(/\r\n|\n|\r/g)?.length ?? 0;
}

export interface FormatOptions {
  /** One level of indentation. */
  readonly indent: string;
}
