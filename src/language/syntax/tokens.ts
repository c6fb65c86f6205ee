import type { Span } from './syntax.ts';
import { NAME } from './words.ts';

/** A word, number, text, sign or comment. */
export interface Token extends Span {
  readonly kind: TokenKind;
  readonly text: string;
}

export type TokenKind = keyof typeof PATTERNS | 'end';

/** Every token of a text, comments included, blanks left out. A character that the language does not have is a token too. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let token = tokenBehind(text, 0); token.kind !== 'end'; token = tokenBehind(text, token.end)) tokens.push(token);
  return tokens;
}

/** The tokens of a text that a cursor ends, comments left out; undefined where it is in a comment or in a text that is not closed. */
export function tokensToCursor(text: string): Token[] | undefined {
  const tokens = tokensOf(text);
  const last = tokens.at(-1);
  const isInside = last?.end === text.length && (last.kind === 'comment' || isUnclosed(last));
  return isInside ? undefined : tokens.filter(({ kind }) => kind !== 'comment');
}

/** Whether a token is a string without its second quote. */
export function isUnclosed({ kind, text }: Token): boolean {
  return kind === 'other' && text.startsWith('"');
}

/** The first token at or behind an offset; an empty one of kind `end` where there is none. */
export function tokenBehind(text: string, offset: number): Token {
  TOKEN.lastIndex = offset;
  const match = TOKEN.exec(text);
  if (match === null) return { kind: 'end', text: '', start: text.length, end: text.length };
  const kind = KINDS.find((_, i) => match[i + 1] !== undefined)!;
  return { kind, text: match[0], start: match.index, end: match.index + match[0].length };
}

const NUMBER = String.raw`(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?`;

/** What a token of each kind looks like: the first kind that fits counts. */
const PATTERNS = {
  name: NAME,
  comment: String.raw`\/\/[^\n\r]*`,
  sign: String.raw`[-+*\/^=:,(){}[\]]`,
  /** Has no escapes, since paths hold backslashes on Windows. */
  string: String.raw`"[^"\n\r]*"`,
  percentage: String.raw`${NUMBER}[ \t]*%`,
  ratio: String.raw`[0-9]+[ \t]*:[ \t]*[0-9]+`,
  number: NUMBER,
  /** A string that its line ends, or one UTF-16 unit that is nothing of the language's. */
  other: String.raw`"[^"\n\r]*|\S`,
} as const;
const KINDS = Object.keys(PATTERNS) as (keyof typeof PATTERNS)[];
const TOKEN = new RegExp(
  Object.values(PATTERNS)
    .map((pattern) => `(${pattern})`)
    .join('|'),
  'g',
);
