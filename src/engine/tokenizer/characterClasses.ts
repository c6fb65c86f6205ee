import { characterClass, WHITE_SPACE } from './codePoints.ts';
import { PINNED_ALPHABETIC, PINNED_CATEGORIES, PINNED_SCRIPTS } from './unicodeTables.ts';
import type { Category, Script } from './unicodeTables.ts';

/**
 * Classes of characters as Oniguruma has them, written for JavaScript's regular expressions with the flag `v`. What engines may
 * know differently is put right by tables: a class is the engine's own, without the characters that came after Unicode 15, and
 * with those of them that Oniguruma counts in.
 */
export function propertyClass(name: string): string | undefined {
  return PROPERTIES.get(plain(name));
}

/** `\w` within a class. */
export const WORD_MEMBERS = `${alphabetic()}${category('M')}${category('Nd')}${category('Pc')}`;
/** `\w` by itself, which has the superscripts and fractions of Latin-1, too. */
export const WORD_CLASS = `[${WORD_MEMBERS}\\u{b2}\\u{b3}\\u{b9}\\u{bc}-\\u{be}]`;
export const SPACE_CLASS = `[${WHITE_SPACE}]`;
export const DIGIT_CLASS = category('Nd');

/** `[[:name:]]`; others are not reproduced. */
export const POSIX_CLASSES: Readonly<Record<string, string | undefined>> = {
  alpha: alphabetic(),
  digit: DIGIT_CLASS,
  alnum: `[${alphabetic()}${DIGIT_CLASS}]`,
  space: SPACE_CLASS,
  word: `[${WORD_MEMBERS}]`,
  punct: `[${category('P')}${category('S')}]`,
  xdigit: '[0-9A-Fa-f]',
};

function category(name: string): string {
  const pinned = Object.entries(PINNED_CATEGORIES)
    .filter(([category]) => category.startsWith(name))
    .map(([, points]) => points);
  return withPinned(`\\p{${name}}`, pinned.join(' '));
}

function alphabetic(): string {
  return withPinned('\\p{Alphabetic}', PINNED_ALPHABETIC);
}

function withPinned(own: string, pinned: string): string {
  return `[[${own}--${ALL_PINNED()}]${pinned.trim() === '' ? '' : characterClass(pinned)}]`;
}

function ALL_PINNED(): string {
  return characterClass(Object.values(PINNED_CATEGORIES).join(' '));
}

/** Oniguruma reads names without regard to case, spaces, hyphens and underlines. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

const LONG_NAMES: Readonly<Record<string, Category | 'L' | 'M' | 'N' | 'P' | 'S' | 'Z'>> = {
  Letter: 'L',
  Uppercase_Letter: 'Lu',
  Lowercase_Letter: 'Ll',
  Titlecase_Letter: 'Lt',
  Modifier_Letter: 'Lm',
  Other_Letter: 'Lo',
  Mark: 'M',
  Nonspacing_Mark: 'Mn',
  Number: 'N',
  Decimal_Number: 'Nd',
  Punctuation: 'P',
  Symbol: 'S',
  Separator: 'Z',
  Other: 'C',
};

const CATEGORY_NAMES = 'C L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp'.split(
  ' ',
);

const PROPERTIES: ReadonlyMap<string, string> = new Map([
  ...CATEGORY_NAMES.map((name) => [plain(name), category(name)] as const),
  ...Object.entries(LONG_NAMES).map(([name, short]) => [plain(name), category(short)] as const),
  ...(Object.keys(PINNED_SCRIPTS) as Script[]).map(
    (name) => [plain(name), withPinned(`\\p{Script=${name}}`, PINNED_SCRIPTS[name])] as const,
  ),
  ['alphabetic', alphabetic()],
  ...['alpha', 'digit', 'alnum', 'space', 'xdigit'].map((name) => [name, POSIX_CLASSES[name]!] as const),
]);
