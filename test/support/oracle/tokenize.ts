import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Token ids of a text by byte-level BPE as GPT-2 defines it, the special tokens that stand before a text included. */
export function tokenize(folder: string, text: string): number[] {
  const file = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as TokenizerFile;
  const ranks = new Map(file.model.merges.map((merge, rank) => [merge, rank]));
  const characters = byteAlphabet();
  const ids = (file.post_processor?.single ?? []).flatMap((piece) =>
    piece.SpecialToken ? [file.model.vocab[piece.SpecialToken.id]!] : [],
  );
  const added = new Map(file.added_tokens.map(({ content, id }) => [content, id]));
  const idsOf = (word: string): readonly number[] => {
    let parts = [...Buffer.from(word, 'utf8')].map((byte) => characters[byte]!);
    for (;;) {
      const ranked = parts.slice(1).map((part, i) => ranks.get(`${parts[i]!} ${part}`) ?? Infinity);
      const best = Math.min(...ranked);
      if (best === Infinity) break;
      parts = mergeAll(parts, file.model.merges[best]!);
    }
    return parts.map((part) => file.model.vocab[part]!);
  };
  // A word is always the same tokens, and most words of a text come again.
  const known = new Map<string, readonly number[]>([...added].map(([word, id]) => [word, [id]]));
  for (const word of words(text, [...added.keys()])) {
    if (!known.has(word)) known.set(word, idsOf(word));
    ids.push(...known.get(word)!);
  }
  return ids;
}

interface TokenizerFile {
  readonly added_tokens: readonly { readonly content: string; readonly id: number }[];
  readonly post_processor: { readonly single: readonly { readonly SpecialToken?: { readonly id: string } }[] } | null;
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly string[] };
}

/** GPT-2's split into words: contractions, a space with letters, digits or signs, runs of white space. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The words of `text`; an added token (`<unk>` in WikiText) is one wherever it stands. */
function words(text: string, added: readonly string[]): string[] {
  const escaped = added.map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pieces = added.length === 0 ? [text] : text.split(new RegExp(`(${escaped.join('|')})`));
  return pieces.flatMap((piece) => (added.includes(piece) ? [piece] : (piece.match(WORDS) ?? [])));
}

/** Joins every occurrence of the pair `merge` ("a b"), from left to right. */
function mergeAll(parts: readonly string[], merge: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (`${parts[i]!} ${parts[i + 1] ?? ''}` === merge) merged.push(parts[i]! + parts[++i]!);
    else merged.push(parts[i]!);
  }
  return merged;
}

/** Bytes that are visible in Latin-1 stand for themselves, the others for the code points from 256 on. */
function byteAlphabet(): string[] {
  const visible = (byte: number) => /[!-~¡-¬®-ÿ]/.test(String.fromCharCode(byte));
  let hiddenBytes = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : 256 + hiddenBytes++));
}
