import { withPinnedCategories } from './unicodePinning.ts';

/** A token that is found in the text before anything else is done to it: `<s>`, `<|endoftext|>`. */
export interface AddedToken {
  readonly id: number;
  /** What is looked for. */
  readonly content: string;
  /** Not inside a longer word. */
  readonly singleWord: boolean;
  /** Takes the white space before it, or after it, along. */
  readonly leftStrip: boolean;
  readonly rightStrip: boolean;
}

/** Stretches of text, and between them the ids of added tokens. */
export type TextOrId = string | number;

/** Splits texts at added tokens: leftmost first, of several at one place the longest. */
export function compileAddedTokens(tokens: readonly AddedToken[]): (text: string) => Iterable<TextOrId> {
  const byContent = new Map(tokens.filter(({ content }) => content !== '').map((token) => [token.content, token]));
  if (byContent.size === 0) return (text) => [text];
  // An alternation tries its alternatives in order: with the longest first, the longest wins.
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(contents.map(escapePattern).join('|'), 'gu');
  return (text) => splitAtTokens(text, pattern, byContent);
}

function* splitAtTokens(
  text: string,
  pattern: RegExp,
  byContent: ReadonlyMap<string, AddedToken>,
): Generator<TextOrId> {
  let reached = 0;
  for (const match of text.matchAll(pattern)) {
    const token = byContent.get(match[0])!;
    let begin = match.index;
    let end = begin + match[0].length;
    if (token.singleWord && (endsWithWord(text, begin) || startsWithWord(text, end))) continue;
    if (token.leftStrip) begin = Math.max(reached, spaceBefore(text, begin));
    if (token.rightStrip) end = spaceAfter(text, end);
    if (begin > reached) yield text.slice(reached, begin);
    yield token.id;
    reached = end;
  }
  if (reached < text.length) yield text.slice(reached);
}

function escapePattern(content: string): string {
  return content.replace(/[\\^$.*+?()[\]{}|/-]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

// The word characters and the white space of the Rust library's `regex` crate.
const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const SPACE = /\p{White_Space}/u;

function endsWithWord(text: string, end: number): boolean {
  if (end === 0) return false;
  const isPair = end >= 2 && /[\udc00-\udfff]/.test(text[end - 1]!);
  return isWord(text.slice(end - (isPair ? 2 : 1), end));
}

function startsWithWord(text: string, begin: number): boolean {
  const point = text.codePointAt(begin);
  return point !== undefined && isWord(String.fromCodePoint(point));
}

function isWord(character: string): boolean {
  return WORD.test(withPinnedCategories(character));
}

/** White space is all within one UTF-16 unit. */
function spaceBefore(text: string, end: number): number {
  let begin = end;
  while (begin > 0 && SPACE.test(text[begin - 1]!)) begin--;
  return begin;
}

function spaceAfter(text: string, begin: number): number {
  let end = begin;
  while (end < text.length && SPACE.test(text[end]!)) end++;
  return end;
}
