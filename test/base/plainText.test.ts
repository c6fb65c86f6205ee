import { expect, it } from 'vitest';
import { plainLine } from '../../src/base/plainText.ts';

it.each([
  ['two\r\nlines\u2028and\tmore', 'two lines and more'],
  ['\u001b[2J\u001b]0;title\u0007x\u009b31m', '[2J ]0;title x 31m'],
  ['safe\u202Egnp.exe\u202C', 'safegnp.exe'],
  ['a\u200bb\ufeffc\u00add\u{e0041}', 'abcd'],
  // Families and Persian are written with joiners.
  ['👩‍👧 می‌خواهم', '👩‍👧 می‌خواهم'],
  ['  Ĝis  ', 'Ĝis'],
])('%j is the line %j', (text, line) => {
  expect(plainLine(text)).toBe(line);
});

it('a long text is cut, and no letter of two halves is cut in two', () => {
  expect(plainLine('abcdef', 4)).toBe('abc…');
  expect(plainLine('ab😀cd', 4)).toBe('ab…');
  expect(plainLine('x'.repeat(1 << 24))).toHaveLength(300);
});
