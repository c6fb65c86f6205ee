/** As Python's `str.strip`, which takes separators and U+0085 for white space, and U+FEFF not. */
export function strip(text: string): string {
  return stripEnd(stripStart(text));
}

/** As `str.lstrip`. */
export function stripStart(text: string): string {
  let begin = 0;
  while (begin < text.length && WHITE.includes(text[begin]!)) begin++;
  return text.slice(begin);
}

/** As `str.rstrip`. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && WHITE.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

const WHITE =
  ' \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

/** As `str.capitalize`: the first character in title case, all others small. */
export function capitalize(text: string): string {
  const [first = ''] = text;
  // Of the whole text, since whether a sigma ends a word is seen by what stands before it.
  return titleCase(first) + text.toLowerCase().slice(first.toLowerCase().length);
}

/** As `len`: characters, not the halves of those beyond U+FFFF. */
export function codePoints(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) count++;
  return count;
}

/** Title case (Unicode's SpecialCasing.txt and UnicodeData.txt), for which JavaScript has no function, from the upper case. */
function titleCase(character: string): string {
  const own = DIGRAPHS[character];
  if (own !== undefined) return own;
  // Georgian has capitals for texts that are in capitals only.
  if (/[\u10d0-\u10fa\u10fd-\u10ff]/.test(character)) return character;
  const upper = character.toUpperCase();
  const [first = '', ...rest] = upper;
  if (rest.length === 0) return upper;
  // The iota below a Greek letter stays below: one letter with it where there is one.
  if (/[\u1f80-\u1fff]/.test(character) && upper.endsWith('\u0399')) {
    const below = `${upper.slice(0, -1)}\u0345`;
    return below.length === 2 ? below.normalize('NFC') : below;
  }
  // Ligatures; letters with marks in front or behind stay as they are.
  return first.toLowerCase() === first ? upper : first + rest.join('').toLowerCase();
}

const DIGRAPHS: Readonly<Record<string, string>> = {
  ...{ '\u01c4': '\u01c5', '\u01c5': '\u01c5', '\u01c6': '\u01c5' },
  ...{ '\u01c7': '\u01c8', '\u01c8': '\u01c8', '\u01c9': '\u01c8' },
  ...{ '\u01ca': '\u01cb', '\u01cb': '\u01cb', '\u01cc': '\u01cb' },
  ...{ '\u01f1': '\u01f2', '\u01f2': '\u01f2', '\u01f3': '\u01f2' },
};
