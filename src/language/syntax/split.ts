import { nearestName } from '../../metric/nearest.ts';
import { commonEnds } from './commonEnds.ts';
import type { Span } from './syntax.ts';
import { DECLARATION_KEYWORDS, isDeclarationKeyword, isNameCharacter, NAME, NAME_CHARACTERS } from './words.ts';
import type { DeclarationKeyword } from './words.ts';

/**
 * A file is cut into declarations, and blocks into properties, before anything is parsed: a mistake can then not reach
 * beyond its own piece, and a keystroke parses one piece again instead of the file.
 */
export interface Piece extends Span {
  /** The keyword that the piece begins with; undefined for text that belongs to no declaration. */
  readonly keyword: DeclarationKeyword | undefined;
  /** What stands in the keyword's place, where that is almost the keyword. */
  readonly misspelt?: string;
}

/** A block without its properties, and the properties. */
export interface BlockPieces {
  /** The block's text with spaces in the place of its properties, so that what is left can be parsed on its own. */
  readonly frame: string;
  /** Counted from the start of the block. */
  readonly properties: readonly Span[];
}

/** The pieces of a file that the version before it did not have. */
export interface SplitFile {
  /** How many pieces at the beginning are those of the version before. */
  readonly head: number;
  readonly middle: readonly Piece[];
  /** How many at the end are, moved by as much as the text has grown. */
  readonly tail: number;
}

const NOTHING = { text: '', pieces: [] };

/**
 * The declarations of a file, in order, with all the text in between. A keyword begins a declaration where a whole head
 * follows it (`metric NAME =`) or, outside braces, where it is the first word of a line. A piece without a keyword begins
 * where the first word of a line can continue nothing: `metrc wanda = …`, or a name after a complete expression.
 * @param before the version before: only text around what changed is looked at again
 */
export function splitFile(
  text: string,
  before: { readonly text: string; readonly pieces: readonly Piece[] } = NOTHING,
): SplitFile {
  const same = commonEnds(before.text, text);
  const grown = text.length - before.text.length;
  // Where a piece begins depends on the two words behind, and so on nothing behind the beginning of the next but one.
  const head = Math.max(0, before.pieces.findLastIndex(({ start }) => start < same.start) - 2);
  const [first] = head > 0 ? before.pieces.slice(head) : [];
  const begun: Beginning[] = first ? [first] : [];
  let next = head;
  let tail = 0;
  scanFile(text, first ? first.start + wordAt(text, first.start).length : 0, (piece) => {
    const at = piece.start - grown;
    while (next < before.pieces.length && before.pieces[next]!.start < at) next++;
    const old = before.pieces[next];
    // Behind the beginning of a piece nothing depends on what stands before it: from here on all is as it was.
    const isOld = old?.start === at && piece.start >= text.length - same.end;
    if (isOld) tail = before.pieces.length - next;
    else begun.push(piece);
    return !isOld;
  });
  const end = tail > 0 ? before.pieces.at(-tail)!.start + grown : text.length;
  const isStray = head === 0 && (begun[0]?.start ?? end) > 0;
  const starts: readonly Beginning[] = isStray ? [{ start: 0, keyword: undefined }, ...begun] : begun;
  return { head, middle: starts.map((piece, i) => pieceOf(piece, starts[i + 1]?.start ?? end)), tail };
}

type Beginning = Omit<Piece, 'end'>;

function pieceOf({ start, keyword, misspelt }: Beginning, end: number): Piece {
  return { start, end, keyword, ...(misspelt !== undefined && { misspelt }) };
}

/** Finds where pieces begin. @param offset where a file, or what follows the first word of a piece, begins @param begin tells whether to go on */
function scanFile(text: string, offset: number, begin: (piece: Beginning) => boolean): void {
  let braces = 0;
  let parentheses = 0;
  const found = (start: number, keyword: DeclarationKeyword | undefined, misspelt?: string): boolean => {
    braces = 0;
    parentheses = 0;
    return begin({ start, keyword, ...(misspelt !== undefined && { misspelt }) });
  };
  FILE_SCAN.lastIndex = offset;
  let isGoingOn = true;
  for (let match = FILE_SCAN.exec(text); match; match = isGoingOn ? FILE_SCAN.exec(text) : null) {
    const [sign, word] = match;
    if (sign === '{') braces++;
    else if (sign === '}') braces = Math.max(0, braces - 1);
    else if (sign === '(') parentheses++;
    else if (sign === ')') parentheses = Math.max(0, parentheses - 1);
    else if (isDeclarationKeyword(sign)) {
      if (isKeywordAt(text, match.index, sign, braces)) isGoingOn = found(match.index, sign);
    } else if (word !== undefined) {
      const start = match.index + sign.length - word.length;
      if (isDeclarationKeyword(word)) {
        if (isKeywordAt(text, start, word, braces)) isGoingOn = found(start, word);
      } else if (braces === 0 && matchesAt(OTHER_HEAD, text, start + word.length)) {
        const meant = nearestKeyword(word);
        isGoingOn = found(start, meant, meant === undefined ? undefined : word);
      } else if (braces === 0 && parentheses === 0 && endsExpression(text, start)) {
        isGoingOn = found(start, undefined);
      }
    }
  }
}

/** The keyword that someone who wrote `word` meant: almost the same, or begun. */
export function nearestKeyword(word: string): DeclarationKeyword | undefined {
  const near = nearestName(word, DECLARATION_KEYWORDS);
  if (near !== undefined && isDeclarationKeyword(near)) return near;
  return word.length < 3 ? undefined : DECLARATION_KEYWORDS.find((keyword) => keyword.startsWith(word));
}

/** Cuts a block into its frame and its properties: a property begins with `NAME:` outside parentheses. */
export function splitBlock(text: string): BlockPieces {
  const starts: number[] = [];
  let open = -1;
  let close = text.length;
  let parentheses = 0;
  BLOCK_SCAN.lastIndex = 0;
  for (let match = BLOCK_SCAN.exec(text); match; match = BLOCK_SCAN.exec(text)) {
    const found = match[0];
    if (found === '{' && open < 0) open = match.index;
    else if (open < 0) continue;
    else if (found === '(') parentheses++;
    else if (found === ')') parentheses = Math.max(0, parentheses - 1);
    else if (found === '}') {
      close = match.index;
      break;
    } else if (match[1] !== undefined) {
      // In parentheses `NAME:` names an argument; a word that never does shows that a parenthesis was not closed.
      const isProperty = parentheses === 0 || (NEVER_ARGUMENTS.has(match[1]) && beginsLine(text, match.index));
      if (!isProperty) continue;
      starts.push(match.index);
      parentheses = 0;
    }
  }
  const properties = starts.map((start, i) => ({ start, end: starts[i + 1] ?? close }));
  const first = starts[0];
  if (first === undefined) return { frame: text, properties };
  return { frame: `${text.slice(0, first)}${' '.repeat(close - first)}${text.slice(close)}`, properties };
}

const COMMENT_OR_STRING = String.raw`\/\/[^\n\r]*|"[^"\n\r]*"?`;

/** Comments, strings, brackets, keywords, and the first word of a line (group 1). */
const FILE_SCAN = new RegExp(
  `${COMMENT_OR_STRING}|[(){}]|(?:${DECLARATION_KEYWORDS.join('|')})(?!${NAME_CHARACTERS})|(?<=^|[\\n\\r])[ \\t\\uFEFF]*(${NAME})`,
  'g',
);

/** Comments, strings, brackets, and `NAME:` (group 1 is the name). */
const BLOCK_SCAN = new RegExp(`${COMMENT_OR_STRING}|[(){}]|(${NAME})[ \\t]*:`, 'g');

/** Properties that no call has as an argument. */
const NEVER_ARGUMENTS: ReadonlySet<string> = new Set([
  ...[
    'model',
    'evaluate',
    'tasks',
    'calibrate',
    'prune',
    'at',
    'test',
    'operands',
    'operations',
    'from',
    'baselines',
    'method',
    'target',
  ],
]);

const NAMED_HEAD = new RegExp(`[ \\t]+${NAME}\\s*[=({]`, 'y');
const BARE_HEAD = /\s*\{/y;
const OTHER_HEAD = new RegExp(`[ \\t]+${NAME}[ \\t]*[={]`, 'y');
const COLON = /[ \t]*:/y;
const WORD = new RegExp(NAME, 'y');

function isKeywordAt(text: string, offset: number, keyword: DeclarationKeyword, braces: number): boolean {
  const end = offset + keyword.length;
  if (offset > 0 && isNameCharacter(text, offset - 1)) return false;
  if (matchesAt(keyword === 'defaults' ? BARE_HEAD : NAMED_HEAD, text, end)) return true;
  return braces === 0 && beginsLine(text, offset) && !matchesAt(COLON, text, end);
}

/** The word that a piece begins with. */
function wordAt(text: string, offset: number): string {
  WORD.lastIndex = offset;
  return WORD.exec(text)?.[0] ?? '';
}

function matchesAt(pattern: RegExp, text: string, offset: number): boolean {
  pattern.lastIndex = offset;
  return pattern.test(text);
}

function beginsLine(text: string, offset: number): boolean {
  let i = offset - 1;
  while (i >= 0 && (text[i] === ' ' || text[i] === '\t' || text[i] === '\uFEFF')) i--;
  return i < 0 || text[i] === '\n' || text[i] === '\r';
}

/** Whether what stands before `offset`, comments and blank lines aside, ends an expression or a block. */
function endsExpression(text: string, offset: number): boolean {
  let end = offset;
  while (end > 0) {
    let start = end;
    while (start > 0 && text[start - 1] !== '\n' && text[start - 1] !== '\r') start--;
    const line = withoutComment(text.slice(start, end)).trimEnd();
    const last = line.at(-1);
    if (last !== undefined) return /[)\]}"%.]/.test(last) || (isNameCharacter(last, 0) && !KEYWORD_AT_END.test(line));
    end = start - 1;
  }
  return true;
}

/** A keyword's name may stand on the next line. */
const KEYWORD_AT_END = new RegExp(`(?<!${NAME_CHARACTERS})(?:${DECLARATION_KEYWORDS.join('|')})$`);

/** A line up to its comment: two slashes in a string begin none. */
function withoutComment(line: string): string {
  let inString = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"') inString = !inString;
    else if (!inString && line[i] === '/' && line[i + 1] === '/') return line.slice(0, i);
  }
  return line;
}
