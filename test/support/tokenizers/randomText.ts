import type { Rng } from '../../../src/base/rng.ts';
import { TRAINING_TEXT } from './trainingText.ts';

/** A text made to be awkward: words and fragments of all scripts, white space, controls, marks, long runs, tokens in the text. */
export function randomText(rng: Rng, addedTokens: readonly string[]): string {
  const pieces = Array.from({ length: 1 + rng.integer(12) }, () => randomPiece(rng, addedTokens));
  return pieces.join('');
}

function randomPiece(rng: Rng, addedTokens: readonly string[]): string {
  switch (rng.integer(10)) {
    case 0:
    case 1:
    case 2:
      return randomSlice(rng);
    case 3:
      return pick(rng, SPACES).repeat(1 + rng.integer(rng.integer(2) ? 3 : 12));
    case 4:
      return pick(rng, AWKWARD);
    case 5:
      return addedTokens.length > 0 ? pick(rng, addedTokens) : '<s>';
    case 6:
      return Array.from({ length: 1 + rng.integer(5) }, () => randomCharacter(rng)).join('');
    case 7:
      return pick(rng, ['a', '1', '!', '語', '▁', ' ', 'é', '😀', '.']).repeat(1 + rng.integer(80));
    case 8:
      return pick(rng, ['e', 'n', 'ﬁ', 'A']) + pick(rng, MARKS) + pick(rng, MARKS);
    default:
      return `${pick(rng, [' ', '', '\n'])}${rng.integer(10 ** (1 + rng.integer(9)))}`;
  }
}

function randomSlice(rng: Rng): string {
  const begin = rng.integer(TRAINING_TEXT.length);
  return TRAINING_TEXT.slice(begin, begin + 1 + rng.integer(30));
}

function randomCharacter(rng: Rng): string {
  const limits = [0x80, 0x250, 0x3000, 0x10000, 0x20000, 0x110000];
  const point = rng.integer(limits[rng.integer(limits.length)]!);
  return point >= 0xd800 && point < 0xe000 ? '\ufffd' : String.fromCodePoint(point);
}

function pick(rng: Rng, items: readonly string[]): string {
  return items[rng.integer(items.length)]!;
}

const SPACES = [
  ' ',
  ' ',
  '\n',
  '\r\n',
  '\t',
  '\u00a0',
  '\u0085',
  '\u2003',
  '\u3000',
  '\u200b',
  '\ufeff',
  '\u2028',
  '\v',
  '\u180e',
];

const AWKWARD = [
  "'s",
  "'S",
  "'ſ",
  "'LL",
  "'ll",
  "n't",
  "'re'Ve",
  "'D",
  'word',
  'words',
  'qué',
  'que\u0301',
  '<s',
  '<s>>',
  '.',
  'q',
  '\0',
  '\u0001',
  '\u007f',
  '\u001c',
  '\u001f',
  '\u200d',
  '\ufffd',
  '\uffff',
  'ﬀ',
  'ß',
  'İ',
  'ı',
  'Σς',
  'Ǆ',
  '½',
  '²',
  'Ⅷ',
  '１２３',
  '٣٤',
  '①',
  '\u{1d7d8}',
  '\u{1f468}\u200d\u{1f469}',
  '\u{1f1e9}\u{1f1ea}',
  '한\u1112\u1161\u11ab',
  'ｶﾞ',
  '\u212b',
  '\u1e9b\u0323',
  '▁',
  '▁▁▁',
  '<0x0A>',
  '<unk>',
  '[INST]',
  '<|endoftext|>',
  '\u11dff\u11de0',
  '\u{32000}',
  '\u{1ccd6}',
  '\u0897',
  '\u{11935}\u{11930}',
  '\u0295',
  'ǅ',
  'ʰ',
  '\u{16ea0}',
];
const MARKS = ['\u0301', '\u0323', '\u0308', '\u0345', '\u0897', '\u1acf', '\u3099', '\u20dd', ''];
