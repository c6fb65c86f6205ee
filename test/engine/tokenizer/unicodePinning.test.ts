import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { lowercaseAsRust, normalizeAsRust } from '../../../src/engine/tokenizer/unicodePinning.ts';
import { rustTokenizers } from '../../support/tokenizers/oracle.ts';

interface RustParts {
  Tokenizer: { fromString(json: string): { getNormalizer(): { normalizeString(text: string): string } } };
}

/** Every code point outside of the planes that are empty or private. */
const points = Array.from({ length: 0xe0200 }, (_, point) => point).filter(
  (p) => (p > 0 && p < 0xd800) || (p >= 0xe000 && p < 0x34000) || p >= 0xe0000,
);

describe.skipIf(!rustTokenizers)('every code point (skipped where the Rust library brings no binary)', () => {
  const rust = (type: string): { normalizeString(text: string): string } =>
    (createRequire(import.meta.url)('tokenizers') as RustParts).Tokenizer.fromString(
      JSON.stringify({
        version: '1.0',
        added_tokens: [],
        normalizer: { type },
        model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
      }),
    ).getNormalizer();

  /** Code points in batches for which the two differ. */
  const differing = (
    type: string,
    ours: (text: string) => string,
    context: (character: string) => string,
  ): string[] => {
    const theirs = rust(type);
    const wrong: string[] = [];
    for (let at = 0; at < points.length; at += 256) {
      const batch = points.slice(at, at + 256).map((point) => context(String.fromCodePoint(point)));
      if (ours(batch.join('')) !== theirs.normalizeString(batch.join(''))) wrong.push(points[at]!.toString(16));
    }
    return wrong;
  };

  it.each(['NFC', 'NFD', 'NFKC', 'NFKD'] as const)('is normalised to the same %s, among marks', (form) => {
    // "x" keeps the cases apart: it composes with none of these marks.
    const context = (c: string): string => `${c}xa${c}\u0301x\u0301${c}\u0323x${c}${c}x`;
    expect(differing(form, (text) => normalizeAsRust(text, form), context)).toEqual([]);
  });

  it('has the same lower case, at the end of a word, too', () => {
    expect(differing('Lowercase', lowercaseAsRust, (c) => `${c}Σ ${c}Σ${c}`)).toEqual([]);
  });
});
