import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { compileOniguruma } from '../../../src/engine/tokenizer/oniguruma.ts';
import { splitText } from '../../../src/engine/tokenizer/splitPattern.ts';
import { rustTokenizers } from '../../support/tokenizers/oracle.ts';

interface RustParts {
  Tokenizer: { fromString(json: string): { getPreTokenizer(): { preTokenizeString(text: string): [string][] } } };
}

function rustPieces(source: string, text: string): string[] {
  const { Tokenizer } = createRequire(import.meta.url)('tokenizers') as RustParts;
  const pattern = { type: 'Split', pattern: { Regex: source }, behavior: 'Isolated', invert: false };
  return Tokenizer.fromString(
    JSON.stringify({
      version: '1.0',
      added_tokens: [],
      pre_tokenizer: pattern,
      model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
    }),
  )
    .getPreTokenizer()
    .preTokenizeString(text)
    .map(([piece]) => piece);
}

function ourPieces(source: string, text: string): string[] {
  return Array.from(splitText(text, compileOniguruma(source), 'Isolated', false), ({ begin, end }) =>
    text.slice(begin, end),
  );
}

const CATEGORIES = 'L Lu Ll Lt Lm Lo M Mn Mc N Nd Nl No P Pc Pd Ps Po S Sm Sc Sk So Z Zs Alphabetic'.split(' ');
const SCRIPTS =
  'Han Hiragana Katakana Hangul Latin Greek Cyrillic Hebrew Arabic Devanagari Thai Tibetan Georgian Armenian'.split(
    ' ',
  );

describe.skipIf(!rustTokenizers)('the Rust library (skipped where its npm package brings no binary)', () => {
  /** Every character that may be in a class, each before a line feed, which is in none of them. */
  const points = Array.from({ length: 0x34000 }, (_, p) => p).filter((p) => p !== 10 && (p < 0xd800 || p >= 0xe000));
  const everyCharacter = points.map((point) => `${String.fromCodePoint(point)}\n`).join('');

  it.each([
    ...CATEGORIES.map((name) => `\\p{${name}}`),
    ...SCRIPTS.map((name) => `\\p{${name}}`),
    ...['\\w', '\\d', '\\h', '\\S', '.', '[\\w]', '[^\\W]', '[^\\w\\s]', '(?i)k', '(?i:s)', '(?i)[a-z]'],
    ...['alpha', 'punct', 'alnum', 'word', 'xdigit', 'digit'].map((name) => `[[:${name}:]]`),
  ])('takes the same characters for %s', (source) => {
    const [ours, theirs] = [ourPieces(source, everyCharacter), rustPieces(source, everyCharacter)];
    const at = ours.findIndex((piece, i) => piece !== theirs[i]);
    expect([ours.slice(at, at + 3), ours.length]).toEqual([theirs.slice(at, at + 3), theirs.length]);
  });

  it.each<[source: string, text: string]>([
    ['^a', 'b\na\na'],
    ['a$', 'ba\na\n'],
    ['a\\z', 'ba\na'],
    ['\\Aa', 'aba\na'],
    ['\\b.', 'xa éa a² ²'],
    ['\\B.', 'xa éa a²'],
    ['[a&&b]', 'a&b'],
    ['[a-z&&[^b]]+', 'abc'],
    ['a++b', 'aaab'],
    ['a?+b|a', 'aab'],
    ['(?>a+)b', 'aab'],
    ['(?:a|b)++c|.', 'abcab'],
    ['a{,2}', 'aaa'],
    ['a{2}+', 'aaaaa'],
    ['a**', 'aaa'],
    ['(?<=a)b', 'ab b'],
    ['(?<!a+)b', 'ab b'],
    ['(?<n>a)b', 'ab'],
    ['(?m:.)', '\n'],
    ['(?i)a(?-i)b', 'AB Ab'],
    ['a(?i)b|c', 'aB aC C'],
    ['x(?i)y|z', 'xY xZ Z'],
    ['\\x41|\\x{1F600}|\\u0042', 'ABC😀'],
    ['a{|}|]', 'a{}]'],
    ['[]a]|[a-]|[-b]', ']a-b'],
    ['\\#|\\-|\\/|\\é', '#-/é'],
    ['[[a][^bc]]', 'abcd'],
    ['[^(\\s|[.,!?…])]+', 'a (b|c) d.e'],
    ['[\\p{Lu}&&\\p{Latin}]', 'ÀΑb'],
    ['\\p{^L}|\\P{N}', 'a1'],
    ['(?#what)a', 'a'],
    ['|a', 'ab'],
    ['(?=a)', 'aab'],
    ['\\s+(?!\\S)|\\s+', 'a  b \u0085\ufeff c'],
  ])('cuts %s alike', (source, text) => {
    expect(ourPieces(source, text)).toEqual(rustPieces(source, text));
  });
});

it.each<[source: string, says: RegExp]>([
  ['(a)\\1', /\\1 is not reproduced/],
  ['\\X', /\\X/],
  ['\\G', /\\G/],
  ['(?x)a', /\(\?x\)/],
  ['(?~a)', /\(\?~/],
  ['(?<a', /\(\?<a/],
  ['(?i)straße', /\(\?i\)/],
  ['(?i)fi', /\(\?i\) with fi/],
  ['(?i)\\p{L}', /\(\?i\) with \\p\{L\}/],
  ['(?i)[^a]', /negated/],
  ['\\p{Emoji}', /\\p\{Emoji\}/],
  ['[[:graph:]]', /graph/],
  ['[b-a]', /empty/],
  ['a{2}?', /a?\{2\}\?/],
  ['a{5000}', /5000/],
  ['(', /nothing closes/],
  [')', /nothing opens/],
  ['[a', /nothing closes/],
  ['*', /repeats nothing/],
  ['a'.repeat(20_000), /20000 characters/],
])('%s is refused by name', (source, says) => {
  expect(() => compileOniguruma(source)).toThrow(says);
});
