import { INERT_IN_NORMALIZATION, PINNED_CATEGORIES } from './unicodeTables.ts';
import type { PinnedCategory } from './unicodeTables.ts';

/**
 * Token ids must not depend on which Unicode the engine that runs this code happens to know: the Rust tokenizers library,
 * which made the tokens that models were trained on, has its own tables (categories of Unicode 16, normalisation of
 * Unicode 9). The two functions here make any engine from Unicode 15 on agree with it.
 */

/**
 * A text of the same length in UTF-16 units, in which characters younger than Unicode 15 stand replaced by old ones of the
 * same general category: for matching only. Ranges of literal code points in a pattern would see the stand-in; patterns of
 * real tokenizers tell new scripts by category alone.
 */
export function withPinnedCategories(text: string): string {
  return ANY_PINNED.test(text) ? text.replace(EVERY_PINNED, standIn) : text;
}

/** NFC or NFD as the Rust library does them. */
export function normalizeAsRust(text: string, form: 'NFC' | 'NFD'): string {
  if (!ANY_INERT.test(text)) return text.normalize(form);
  // An inert character neither moves nor composes nor decomposes: what stands left and right of it cannot meet.
  return text
    .split(EVERY_INERT)
    .map((part, i) => (i % 2 === 0 ? part.normalize(form) : part))
    .join('');
}

const ALL_PINNED = Object.values(PINNED_CATEGORIES).join(' ');
const ANY_PINNED = new RegExp(characterClass(ALL_PINNED), 'u');
const EVERY_PINNED = new RegExp(characterClass(ALL_PINNED), 'gu');
const ANY_INERT = new RegExp(characterClass(INERT_IN_NORMALIZATION), 'u');
/** The group keeps the separators, at odd places, in the list that `split` returns. */
const EVERY_INERT = new RegExp(`(${characterClass(INERT_IN_NORMALIZATION)})`, 'u');

/** Old characters of each category, of one and of two UTF-16 units. */
const STAND_INS: Readonly<Record<PinnedCategory, readonly [one: string, two: string]>> = {
  Lu: ['\u10a0', '\u{10400}'],
  Ll: ['\u0250', '\u{10428}'],
  Lt: ['\u01c5', '\u{10400}'],
  Lm: ['\u02b0', '\u{16f93}'],
  Lo: ['\u0e01', '\u{10000}'],
  M: ['\u0300', '\u{1d167}'],
  N: ['\u0660', '\u{104a0}'],
  P: ['\u00a7', '\u{10100}'],
  S: ['\u00a6', '\u{1d000}'],
  Z: ['\u2000', '\u{10100}'],
  C: ['\u0378', '\u{50000}'],
};

const CLASSES = (Object.keys(PINNED_CATEGORIES) as PinnedCategory[]).map((category) => ({
  standIns: STAND_INS[category],
  members: new RegExp(characterClass(PINNED_CATEGORIES[category]!), 'u'),
}));

function standIn(character: string): string {
  const { standIns } = CLASSES.find(({ members }) => members.test(character))!;
  return standIns[character.length - 1]!;
}

function characterClass(points: string): string {
  return `[${points.replaceAll(/[0-9a-f]+/g, '\\u{$&}').replaceAll(/\s/g, '')}]`;
}
