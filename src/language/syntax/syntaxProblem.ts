import type { Span } from './syntax.ts';
import { isUnclosed, tokenBehind } from './tokens.ts';
import type { Token } from './tokens.ts';
import { isName } from './words.ts';

/** The first syntax error of a piece: there is never more than one to a piece. */
export interface SyntaxProblem {
  readonly code: 'syntax/expected' | 'syntax/character' | 'syntax/unclosed-string' | 'syntax/too-deep';
  readonly span: Span;
  readonly message: string;
  /** What to write in the span's place, where that is clear. */
  readonly replacement?: string;
}

/** What is wrong where `expected` was expected behind `last` and `next` was found. @param isInList whether in brackets */
export function unexpectedToken(
  text: string,
  expected: string,
  next: Token,
  last: Span,
  isInList: boolean,
): SyntaxProblem {
  const code = 'syntax/expected';
  const span = { start: next.start, end: next.end };
  // Nothing follows, or only the end of the block: what comes before is what lacks something.
  if (next.kind === 'end' || next.text === '}') {
    return {
      code,
      span: { start: last.start, end: last.end },
      message: `expected ${expected} after ${quote(text, last)}`,
    };
  }
  // Brackets are for lists of numbers: in a formula they are parentheses.
  if ((next.text === '[' || next.text === ']') && !isInList) return characterProblem(text, span);
  if (next.text === '*' && text[next.start - 1] === '*') {
    const stars = { start: next.start - 1, end: next.end };
    return { code, span: stars, message: 'a power is written `^`', replacement: '^' };
  }
  const found = isName(next.text) || next.text.length <= 2 ? `\`${next.text}\`` : shorten(next.text);
  return { code, span, message: `expected ${expected}, found ${found}` };
}

/** A token of kind `other`, and those right behind it. */
export function unknownToken(text: string, token: Token): SyntaxProblem {
  const { start } = token;
  if (isUnclosed(token)) {
    const message = 'this string has no closing `"` on its line';
    return { code: 'syntax/unclosed-string', span: { start, end: start + token.text.trimEnd().length }, message };
  }
  let end = start;
  for (let next = token; next.kind === 'other' && next.start === end; next = tokenBehind(text, end)) end = next.end;
  return characterProblem(text, { start, end });
}

/** The first token of a text that belongs nowhere; undefined where there are but blanks and comments. */
export function strayText(text: string): Span | undefined {
  let token = tokenBehind(text, 0);
  while (token.kind === 'comment') token = tokenBehind(text, token.end);
  if (token.kind === 'end') return undefined;
  return token.kind === 'other' ? unknownToken(text, token).span : token;
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

function characterProblem(text: string, span: Span): SyntaxProblem {
  const code = 'syntax/character';
  const first = text[span.start]!;
  const replacement = LOOKALIKES[first];
  if (replacement === undefined) return { code, span, message: `${quote(text, span)} means nothing here` };
  const message = `\`${first}\` is written \`${replacement}\``;
  return { code, span: { start: span.start, end: span.start + 1 }, message, replacement };
}

function quote(text: string, { start, end }: Span): string {
  return `\`${shorten(text.slice(start, end))}\``;
}

function shorten(text: string): string {
  const plain = text.replaceAll(/[\p{C}`]/gu, '�');
  return plain.length <= 40 ? plain : `${plain.slice(0, 37)}…`;
}
