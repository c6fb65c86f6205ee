import { nearestName } from '../../metric/nearest.ts';
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

/**
 * The declarations of a file, in order, with all the text in between. A keyword begins a declaration where a whole head
 * follows it (`metric NAME =`) or, outside braces, where it is the first word of a line. A piece without a keyword begins
 * where the first word of a line can continue nothing: `metrc wanda = …`, or a name after a complete expression.
 */
export function splitFile(text: string): readonly Piece[] {
  const starts: { start: number; keyword: DeclarationKeyword | undefined; misspelt?: string }[] = [];
  let braces = 0;
  let parentheses = 0;
  const begin = (start: number, keyword: DeclarationKeyword | undefined, misspelt?: string): void => {
    starts.push({ start, keyword, ...(misspelt === undefined ? {} : { misspelt }) });
    braces = 0;
    parentheses = 0;
  };
  FILE_SCAN.lastIndex = 0;
  for (let match = FILE_SCAN.exec(text); match; match = FILE_SCAN.exec(text)) {
    const [found, word] = match;
    if (found === '{') braces++;
    else if (found === '}') braces = Math.max(0, braces - 1);
    else if (found === '(') parentheses++;
    else if (found === ')') parentheses = Math.max(0, parentheses - 1);
    else if (isDeclarationKeyword(found)) {
      if (isKeywordAt(text, match.index, found, braces)) begin(match.index, found);
    } else if (word !== undefined) {
      const start = match.index + found.length - word.length;
      if (isDeclarationKeyword(word)) {
        if (isKeywordAt(text, start, word, braces)) begin(start, word);
      } else if (braces === 0 && matchesAt(OTHER_HEAD, text, start + word.length)) {
        const meant = nearestKeyword(word);
        begin(start, meant, meant === undefined ? undefined : word);
      } else if (braces === 0 && parentheses === 0 && endsExpression(text, start)) {
        begin(start, undefined);
      }
    }
  }
  const pieces: Piece[] = starts.map((piece, i) => ({ ...piece, end: starts[i + 1]?.start ?? text.length }));
  const first = starts[0]?.start ?? text.length;
  return first > 0 ? [{ keyword: undefined, start: 0, end: first }, ...pieces] : pieces;
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

function isKeywordAt(text: string, offset: number, keyword: DeclarationKeyword, braces: number): boolean {
  const end = offset + keyword.length;
  if (offset > 0 && isNameCharacter(text, offset - 1)) return false;
  if (matchesAt(keyword === 'defaults' ? BARE_HEAD : NAMED_HEAD, text, end)) return true;
  return braces === 0 && beginsLine(text, offset) && !matchesAt(COLON, text, end);
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
