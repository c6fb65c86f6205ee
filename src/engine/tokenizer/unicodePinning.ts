import { characterClass } from './codePoints.ts';
import { INERT_IN_COMPATIBILITY, LOWERCASE } from './characterTables.ts';
import { INERT_IN_NORMALIZATION } from './unicodeTables.ts';

/**
 * Token ids must not depend on which Unicode the engine that runs this code happens to know: the Rust tokenizers library,
 * which made the tokens that models were trained on, has its own tables (categories of Unicode 16, normalisation of
 * Unicode 9). The functions here make any engine from Unicode 15 on agree with it.
 */
export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** A normal form as the Rust library makes it. */
export function normalizeAsRust(text: string, form: NormalForm): string {
  const [any, every] = form === 'NFC' || form === 'NFD' ? INERT : INERT_TOO;
  if (!any.test(text)) return text.normalize(form);
  // An inert character neither moves nor composes nor decomposes: what stands left and right of it cannot meet.
  return text
    .split(every)
    .map((part, i) => (i % 2 === 0 ? part.normalize(form) : part))
    .join('');
}

/** Each character in lower case by itself: a sigma at the end of a word is a sigma. */
export function lowercaseAsRust(text: string): string {
  const plain = text.includes('Σ') ? text.replaceAll('Σ', 'σ') : text;
  if (!ANY_YOUNG.test(plain)) return plain.toLowerCase();
  return plain
    .split(EVERY_YOUNG)
    .map((part, i) => (i % 2 === 0 ? part.toLowerCase() : LOWER.get(part)!))
    .join('');
}

/** The group keeps the separators, at odd places, in the list that `split` returns. */
const separators = (points: string): readonly [any: RegExp, every: RegExp] => {
  return [new RegExp(characterClass(points), 'u'), new RegExp(`(${characterClass(points)})`, 'u')];
};

const INERT = separators(INERT_IN_NORMALIZATION);
const INERT_TOO = separators(`${INERT_IN_NORMALIZATION} ${INERT_IN_COMPATIBILITY}`);

const LOWER = new Map(
  LOWERCASE.trim()
    .split(/\s+/)
    .map((pair) => {
      const [upper, lower] = pair.split(':').map((point) => String.fromCodePoint(parseInt(point, 16)));
      return [upper!, lower!];
    }),
);
const [ANY_YOUNG, EVERY_YOUNG] = separators(LOWERCASE.replaceAll(/:\S+/g, ''));
