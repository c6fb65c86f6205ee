import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { normalizeAsRust, withPinnedCategories } from '../../../src/engine/tokenizer/unicodePinning.ts';
import { rustTokenizers } from '../../support/tokenizers/oracle.ts';

interface RustParts {
  nfcNormalizer(): { normalizeString(text: string): string };
  nfdNormalizer(): { normalizeString(text: string): string };
  Tokenizer: { fromString(json: string): { getPreTokenizer(): { preTokenizeString(text: string): [string][] } } };
}

/** Every code point outside of the planes that are empty or private. */
const points = Array.from({ length: 0xe0200 }, (_, point) => point).filter(
  (p) => (p > 0 && p < 0xd800) || (p >= 0xe000 && p < 0x34000) || p >= 0xe0000,
);

describe.skipIf(!rustTokenizers)('every code point (skipped where the Rust library brings no binary)', () => {
  const rust = rustTokenizers ? (createRequire(import.meta.url)('tokenizers') as RustParts) : undefined;

  it.each(['L', 'N', 'Lu', 'M', 'P', 'S'])('is in the class %s here and there', (category) => {
    const preTokenizer = rust!.Tokenizer.fromString(
      JSON.stringify({
        version: '1.0',
        added_tokens: [],
        pre_tokenizer: { type: 'Split', pattern: { Regex: `\\p{${category}}` }, behavior: 'Isolated', invert: false },
        model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
      }),
    ).getPreTokenizer();
    const here = new RegExp(`\\p{${category}}`, 'u');
    const wrong: number[] = [];
    for (let at = 0; at < points.length; at += 4096) {
      const block = points.slice(at, at + 4096).map((point) => String.fromCodePoint(point));
      // A member stands alone; all else hangs together with the NULs around it.
      const pieces = preTokenizer.preTokenizeString(block.map((character) => `${character}\0`).join(''));
      const members = new Set(pieces.map(([piece]) => piece));
      const pinned = withPinnedCategories(block.join('\0')).split('\0');
      for (const [i, character] of block.entries()) {
        if (here.test(pinned[i]!) !== members.has(character)) wrong.push(character.codePointAt(0)!);
      }
    }
    expect(wrong.map((point) => point.toString(16))).toEqual([]);
  });

  it.each(['NFC', 'NFD'] as const)('is normalised to the same %s, among marks', (form) => {
    const theirs = form === 'NFC' ? rust!.nfcNormalizer() : rust!.nfdNormalizer();
    const wrong: number[] = [];
    for (let at = 0; at < points.length; at += 256) {
      // "x" keeps the cases apart: it composes with none of these marks.
      const text = points
        .slice(at, at + 256)
        .map((point) => String.fromCodePoint(point))
        .map((c) => `${c}xa${c}\u0301x\u0301${c}\u0323x${c}${c}x`)
        .join('');
      if (normalizeAsRust(text, form) !== theirs.normalizeString(text)) wrong.push(points[at]!);
    }
    expect(wrong.map((point) => point.toString(16))).toEqual([]);
  });
});

it('stand-ins have the length of what they stand in for', () => {
  for (const text of ['a\u0897b', '\u{16ea0}x', '\u0c5c\u{1ccd6}', 'nothing to do']) {
    expect(withPinnedCategories(text)).toHaveLength(text.length);
  }
});
