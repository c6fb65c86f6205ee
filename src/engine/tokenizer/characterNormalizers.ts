import { ACCENTS, MARKS, OTHER } from './characterTables.ts';
import { characterClass, WHITE_SPACE } from './codePoints.ts';
import { lowercaseAsRust, normalizeAsRust } from './unicodePinning.ts';
import type { PlainNormalizerSpec } from './normalizerSpec.ts';

type Spec<T extends PlainNormalizerSpec['type']> = Extract<PlainNormalizerSpec, { type: T }>;

/** Takes white space away at the start and the end of a text. */
export function compileStrip({ strip_left, strip_right }: Spec<'Strip'>): (text: string) => string {
  return (text) => {
    let [begin, end] = [0, text.length];
    while (strip_left && begin < end && SPACE.test(text[begin]!)) begin++;
    while (strip_right && end > begin && SPACE.test(text[end - 1]!)) end--;
    return text.slice(begin, end);
  };
}

export function stripAccents(text: string): string {
  return text.replace(EVERY_MARK, '');
}

/** BERT's: controls left out, spaces made equal, Chinese characters set apart, accents taken away, lower case. */
export function compileBert(spec: Spec<'BertNormalizer'>): (text: string) => string {
  return (text) => {
    let done = text;
    if (spec.clean_text) done = done.replace(UNCLEAN, '').replace(EVERY_SPACE, ' ');
    if (spec.handle_chinese_chars) done = done.replace(CHINESE, ' $& ');
    if (spec.strip_accents ?? spec.lowercase) done = normalizeAsRust(done, 'NFD').replace(EVERY_ACCENT, '');
    return spec.lowercase ? lowercaseAsRust(done) : done;
  };
}

/** SentencePiece's for machine translation: some controls left out, some spaces and marks made a space. */
export function normalizeNmt(text: string): string {
  return text.replace(NMT_LEFT_OUT, '').replace(NMT_SPACES, ' ');
}

const SPACE = new RegExp(`[${WHITE_SPACE}]`, 'u');
const EVERY_SPACE = new RegExp(`[${WHITE_SPACE}]`, 'gu');
const EVERY_MARK = new RegExp(characterClass(MARKS), 'gu');
const EVERY_ACCENT = new RegExp(characterClass(ACCENTS), 'gu');
const UNCLEAN = new RegExp(characterClass(`${OTHER} 0 fffd`), 'gu');
/** Ranges of the Rust library, which leave out some of the extensions. */
const CHINESE = new RegExp(
  characterClass('4e00-9fff 3400-4dbf 20000-2a6df 2a700-2b73f 2b740-2b81f 2b920-2ceaf f900-faff 2f800-2fa1f'),
  'gu',
);
const NMT_LEFT_OUT = new RegExp(characterClass('1-8 b e-1f 7f 8f 9f'), 'gu');
const NMT_SPACES = new RegExp(characterClass('9 a c d 1680 200b-200f 2028 2029 2581 feff fffd'), 'gu');
