import { WORD } from './characterTables.ts';
import { characterClass, WHITE_SPACE } from './codePoints.ts';
import { escapeText } from './splitPattern.ts';
import { shown, tokenizerError } from './tokenizerError.ts';
import { requireText } from './vocabulary.ts';
import type { TokenizerSpec } from './tokenizerSpec.ts';
import type { TokenModel } from './tokenModel.ts';

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

/** Stretches of text with where they begin, and between them the ids of added tokens. */
export type TextOrId = { readonly text: string; readonly begin: number } | number;

/** Splits texts at added tokens: leftmost first, of several at one place the longest. */
export function compileAddedTokens(tokens: readonly AddedToken[]): (text: string) => Iterable<TextOrId> {
  const byContent = new Map(tokens.filter(({ content }) => content !== '').map((token) => [token.content, token]));
  if (byContent.size === 0) return (text) => (text === '' ? [] : [{ text, begin: 0 }]);
  // An alternation tries its alternatives in order: with the longest first, the longest wins.
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(contents.map(escapeText).join('|'), 'gu');
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
    if (begin > reached) yield { text: text.slice(reached, begin), begin: reached };
    // The Rust library ends the process here.
    if (begin > end)
      throw new RangeError(`the added token ${shown(token.content)} within spaces that another one takes along`);
    if (begin < end) yield token.id;
    reached = end;
  }
  if (reached < text.length) yield { text: text.slice(reached), begin: reached };
}

/** The word characters and the white space of Rust’s `regex` crate. */
const WORD_CHARACTER = new RegExp(characterClass(WORD), 'u');
const SPACE = new RegExp(`[${WHITE_SPACE}]`, 'u');

function endsWithWord(text: string, end: number): boolean {
  if (end === 0) return false;
  const isPair = end >= 2 && /[\udc00-\udfff]/.test(text[end - 1]!);
  return WORD_CHARACTER.test(text.slice(end - (isPair ? 2 : 1), end));
}

function startsWithWord(text: string, begin: number): boolean {
  const point = text.codePointAt(begin);
  return point !== undefined && WORD_CHARACTER.test(String.fromCodePoint(point));
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

/** The added tokens of a file, by where they are looked for. */
export interface AddedTokens {
  readonly inRaw: readonly AddedToken[];
  readonly inNormalized: readonly AddedToken[];
  /** Ids by what the file calls them. */
  readonly ids: ReadonlyMap<string, number>;
  /** Those that are no part of a text: `</s>`. */
  readonly special: ReadonlySet<string>;
}

/** @throws EspalierError `checkpoint/tokenizer` */
export function readAddedTokens(
  spec: TokenizerSpec,
  model: TokenModel,
  normalize: (content: string) => string,
  file: string,
): AddedTokens {
  const ids = new Map<string, number>();
  const inRaw: AddedToken[] = [];
  const inNormalized = new Map<string, AddedToken>();
  let free = model.size;
  for (const { content, ...token } of spec.added_tokens) {
    const name = shown(content);
    // The Rust library goes by its own numbering whatever the file says: the vocabulary's id, or else the next free one.
    const id = model.vocabulary.get(content) ?? free++;
    if (id !== token.id) throw tokenizerError(file, `the added token ${name} to have the id ${id}`, `${token.id}`);
    if (ids.has(content)) throw tokenizerError(file, `the added token ${name} once`, 'it twice');
    requireText(content, file);
    ids.set(content, id);
    const wanted = token.normalized ? normalize(content) : content;
    const added = {
      id,
      content: wanted,
      singleWord: token.single_word,
      leftStrip: token.lstrip,
      rightStrip: token.rstrip,
    };
    if (!token.normalized) inRaw.push(added);
    else if (wanted !== '' && !inNormalized.has(wanted)) inNormalized.set(wanted, added);
    // The Rust library finds one of them by chance, and cuts every text where it looks for nothing.
    else throw tokenizerError(file, `the added token ${name}, normalised, to be a text of its own`, shown(wanted));
  }
  const special = new Set(spec.added_tokens.filter((token) => token.special).map(({ content }) => content));
  return { inRaw, inNormalized: [...inNormalized.values()], ids, special };
}
