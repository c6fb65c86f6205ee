import type { ParseResult } from 'langium';
import type { Span } from './syntax.ts';
import { isName } from './words.ts';

/** The first syntax error of a piece: there is never more than one to a piece. */
export interface SyntaxProblem {
  readonly code: 'syntax/expected' | 'syntax/character' | 'syntax/unclosed-string' | 'syntax/too-deep';
  readonly span: Span;
  readonly message: string;
  /** What to write in the span's place, where that is clear. */
  readonly replacement?: string;
}

/** The first error that the lexer and the parser have found, as something a person can act on. */
export function firstProblem(text: string, result: ParseResult): SyntaxProblem | undefined {
  const lexical = result.lexerErrors.at(0);
  const grammatical = result.parserErrors.at(0);
  if (lexical !== undefined) {
    // What the parser complains about behind a stray character is what the character has left behind.
    const start = grammatical?.token.startOffset ?? NaN;
    if (!(start < lexical.offset)) return characterProblem(text, lexical.offset, lexical.length);
  }
  if (grammatical === undefined) return undefined;
  const { token } = grammatical;
  const expected = `expected ${grammatical.message}`;
  // Nothing follows, or only the end of the block: what comes before is what lacks something.
  const isEnd = Number.isNaN(token.startOffset) || token.image === '}';
  const last = isEnd ? lastToken(Number.isNaN(token.startOffset) ? text : text.slice(0, token.startOffset)) : undefined;
  if (last !== undefined) {
    return { code: 'syntax/expected', span: last, message: `${expected} after ${quote(text, last)}` };
  }
  const span = { start: token.startOffset, end: token.startOffset + token.image.length };
  // Brackets are for lists of rates: in a formula they are parentheses.
  const before = text.slice(0, span.start);
  const isInList = before.lastIndexOf('[') > before.lastIndexOf(']');
  if ((token.image === '[' || token.image === ']') && !isInList) return characterProblem(text, span.start, 1);
  const isSecondStar = token.image === '*' && text[span.start - 1] === '*';
  if (isSecondStar) {
    const stars = { start: span.start - 1, end: span.end };
    return { code: 'syntax/expected', span: stars, message: 'a power is written `^`', replacement: '^' };
  }
  return { code: 'syntax/expected', span, message: `${expected}, found ${describeToken(token.image)}` };
}

/** A problem at the first word or character of a text that belongs nowhere; undefined where it is blank. */
export function strayText(text: string): Span | undefined {
  const match = FIRST_TOKEN.exec(text);
  if (match?.[1] === undefined) return undefined;
  const start = match[0].length - match[1].length;
  return { start, end: start + match[1].length };
}

/** Characters that are almost ours: what formulas are pasted with. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  '×': '*',
  '·': '*',
  '⋅': '*',
  '∗': '*',
  '÷': '/',
  '∕': '/',
  '−': '-',
  '–': '-',
  '—': '-',
  '²': '^ 2',
  '³': '^ 3',
  '“': '"',
  '”': '"',
  '„': '"',
  '[': '(',
  ']': ')',
};

function characterProblem(text: string, start: number, length: number): SyntaxProblem {
  if (text[start] === '"') {
    const line = /^[^\n\r]*/.exec(text.slice(start))![0].trimEnd();
    const span = { start, end: start + line.length };
    return { code: 'syntax/unclosed-string', span, message: 'this string has no closing `"` on its line' };
  }
  const first = text[start]!;
  const replacement = LOOKALIKES[first];
  if (replacement !== undefined) {
    const span = { start, end: start + 1 };
    return { code: 'syntax/character', span, message: `\`${first}\` is written \`${replacement}\``, replacement };
  }
  const span = { start, end: start + length };
  return { code: 'syntax/character', span, message: `${quote(text, span)} means nothing here` };
}

function lastToken(text: string): Span {
  let last: Span = { start: 0, end: 0 };
  TOKENS.lastIndex = 0;
  for (let match = TOKENS.exec(text); match; match = TOKENS.exec(text)) {
    if (!match[0].startsWith('//')) last = { start: match.index, end: match.index + match[0].length };
  }
  return last;
}

function describeToken(image: string): string {
  return isName(image) || image.length <= 2 ? `\`${image}\`` : shorten(image);
}

function quote(text: string, { start, end }: Span): string {
  return `\`${shorten(text.slice(start, end))}\``;
}

function shorten(text: string): string {
  const plain = text.replaceAll(/[\p{C}`]/gu, '�');
  return plain.length <= 40 ? plain : `${plain.slice(0, 37)}…`;
}

/** Blank space and comments, then (group 1) one word, string or character. */
const FIRST_TOKEN =
  /^(?:[\s\uFEFF]+|\/\/[^\n\r]*)*("[^"\n\r]*"?|[\w\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u024F\u0388-\u03FF\u0400-\u0481]+|[^])?/;
const TOKENS =
  /\/\/[^\n\r]*|"[^"\n\r]*"?|[\w.%\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u024F\u0388-\u03FF\u0400-\u0481]+|[^\s\uFEFF]/g;
