import { CONSONANTS, CONTROL, EXTEND, EXTENDING, LINKERS, PICTOGRAPHS, PREPENDING } from './characterTables.ts';
import { characterClass } from './codePoints.ts';

/**
 * The clusters of a text, what a reader takes for one character: Unicode's extended grapheme clusters (UAX #29), of the version
 * that the Rust library knows. Characters that are a cluster each come in stretches, which are called plain.
 */
export function* clustersOf(text: string): Generator<{ readonly text: string; readonly isPlain: boolean }> {
  for (const [found, plain] of text.matchAll(CLUSTERS)) yield { text: found, isPlain: plain !== undefined };
}

/** Whether nothing that begins behind a UTF-16 unit joins it, as long as that is an ASCII character other than a line feed. */
export function endsCluster(unit: number): boolean {
  return unit < 0x600 || (unit >= 0xd4f && unit < 0xd800) || unit > 0xdfff;
}

const LEADING = '1100-115f a960-a97c';
const VOWELS = '1160-11a7 d7b0-d7c6';
const TRAILING = '11a8-11ff d7cb-d7fb';
const SYLLABLES = 'ac00-d7a3';
const FLAGS = '1f1e6-1f1ff';

const [l, v, t, flag] = [LEADING, VOWELS, TRAILING, FLAGS].map(characterClass);
/** Syllables without a last consonant are every 28th. */
const lv = characterClass(Array.from({ length: 399 }, (_, i) => (0xac00 + 28 * i).toString(16)).join(' '));
const lvt = `(?!${lv})${characterClass(SYLLABLES)}`;
const [extending, extend, prepending, control, pictograph, consonant, linker] = [
  EXTENDING,
  EXTEND,
  PREPENDING,
  CONTROL,
  PICTOGRAPHS,
  CONSONANTS,
  LINKERS,
].map(characterClass);

/** What may stand between two letters that a linker joins: without the joiner’s opposite, with the joiner. */
const conjunct = `(?:(?!\\u200c)${extend}|\\u200d)`;

const CORES = [
  `${l}*(?:(?:${lv}${v}*|${v}+)${t}*|${lvt}${t}*)`,
  `${l}+`,
  `${t}+`,
  `${flag}{2}`,
  `${pictograph}(?:${extend}*\\u200d${pictograph})*`,
  `${consonant}(?:${conjunct}*${linker}${conjunct}*${consonant})*`,
  `(?!${control})[^]`,
];

const SPECIAL = [EXTENDING, PREPENDING, PICTOGRAPHS, CONSONANTS, LEADING, VOWELS, TRAILING, SYLLABLES, FLAGS];
const plain = characterClass(`d ${SPECIAL.join(' ')}`).replace('[', '[^');

const CLUSTERS = new RegExp(
  `(${plain}+(?!${extending}))|\\r\\n|${prepending}*(?:${CORES.join('|')})${extending}*|[^]`,
  'gu',
);
