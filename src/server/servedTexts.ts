import { charactersAsBytes } from '../engine/tokenizer/byteLevel.ts';
import { TextStream } from '../engine/tokenizer/textStream.ts';
import type { Tokenizer } from '../engine/tokenizer/tokenizer.ts';
import type { Served } from './served.ts';

/** The side of a served model that is about texts, by its tokenizer. */
export function servedTexts(tokenizer: Tokenizer): Pick<Served, 'encode' | 'decode' | 'textsAfter' | 'tokenText'> {
  const { before, after } = tokenizer.around;
  const named = new Map<number, string>();
  return {
    async encode(text, special, signal) {
      const whole = await tokenizer.encodeAsync(text, { signal });
      const ids = whole.slice(before.length, whole.length - after.length);
      // A text that begins with such a token already, as harnesses write it, gets no second one; what ends texts is no part of a beginning.
      const isThere = before.length > 0 && before.every((id, index) => ids[index] === id);
      return special && !isThere ? Int32Array.of(...before, ...ids) : ids;
    },
    decode: (ids) => tokenizer.decode(ids, { special: true }),
    textsAfter: (ids) => new TextStream(tokenizer, ids),
    tokenText(id) {
      const known = named.get(id) ?? nameOf(tokenizer, id);
      named.set(id, known);
      return known;
    },
  };
}

/** Half of a character has no text: OpenAI calls such a token by its bytes. */
function nameOf(tokenizer: Tokenizer, id: number): string {
  const token = tokenizer.tokenOf(id);
  if (token === undefined) return `token_id:${id}`;
  // A decoder may take a space away at the beginning of a text.
  const amid = tokenizer.decode([id, id], { special: true });
  const first = tokenizer.decode([id], { special: true });
  const text = amid.startsWith(first) ? amid.slice(first.length) : first;
  if (!text.includes('\ufffd')) return text;
  const bytes = bytesOf(token);
  return bytes ? `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}` : text;
}

/** The bytes that a token stands for, where those are no text. */
function bytesOf(token: string): Uint8Array | undefined {
  const fallback = /^<0x([0-9a-fA-F]{2})>$/.exec(token)?.[1];
  return fallback === undefined ? charactersAsBytes(token) : Uint8Array.of(Number.parseInt(fallback, 16));
}
