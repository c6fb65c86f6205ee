import { describe, expect, it } from 'vitest';
import { capitalize, codePoints, strip, stripEnd, stripStart } from '../../src/base/pythonText.ts';
import { hasPython, python } from '../support/python.ts';

type Row = readonly [code: number, capitalized: string, strippedEnd: string];

describe('Python’s texts', () => {
  it.skipIf(!hasPython)(
    'have the cases and white space of the Python that is here (skipped where there is none)',
    () => {
      // Characters that have no case in its Unicode may have one in ours, which is newer: some are left out.
      const rows = python(
        `import unicodedata
print(json.dumps([[c, (chr(c) + chr(0x3a3) + 'A' + chr(0x3a3)).capitalize(), ('a' + chr(c)).rstrip()]
for c in [*range(0x19b), *range(0x19c, 0x264), *range(0x265, 0xa7c0), *range(0xa7e0, 0xd800), *range(0xe000, 0x10500)] if unicodedata.category(chr(c)) != 'Cn']))`,
        null,
      ) as readonly Row[];
      const ours = rows.map(([code]): Row => {
        const character = String.fromCodePoint(code);
        return [code, capitalize(`${character}\u03a3A\u03a3`), stripEnd(`a${character}`)];
      });
      expect(ours.filter((row, i) => row[1] !== rows[i]![1] || row[2] !== rows[i]![2])).toEqual([]);
    },
  );

  it('are stripped on either side, of U+0085 and not of U+FEFF', () => {
    expect([strip(' \u0085a\u001c'), stripStart('\t a '), stripEnd('a\ufeff ')]).toEqual(['a', 'a ', 'a\ufeff']);
  });

  it('are as long as they have characters', () => {
    expect(['', 'ab', '😀ü', '\ud83d'].map(codePoints)).toEqual([0, 2, 2, 1]);
  });
});
