// Writes src/engine/tokenizer/unicodeTables.ts: node test/support/tokenizers/makeUnicodeTables.mjs
//
// The Rust tokenizers library carries Unicode tables of its own, JavaScript engines theirs, and they are of different
// versions. This script asks the Rust library about every code point and writes down where the answers can differ, now or on
// another engine. It has to run on an engine whose Unicode is at least as new as the library's.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tokenizers = createRequire(import.meta.url)('tokenizers');

/** Oldest Unicode among the engines that are supported (Node 20.0). Whatever came later is pinned. */
const BASE_VERSION = 15.0;
const CATEGORIES = 'Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp'.split(' ');
/** Those that patterns of tokenizers name. */
const SCRIPTS = (
  'Han Hiragana Katakana Hangul Bopomofo Latin Greek Cyrillic Armenian Georgian Hebrew Arabic Devanagari Bengali Gurmukhi ' +
  'Gujarati Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Khmer Mongolian Ethiopic'
).split(' ');

const hex = (point) => point.toString(16);
const everyCodePoint = Array.from({ length: 0x110000 }, (_, point) => point).filter((p) => p < 0xd800 || p >= 0xe000);

/** The code points that the Rust library's regular expressions count as `\p{category}`. */
function rustClass(category) {
  const preTokenizer = tokenizers.Tokenizer.fromString(
    JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'Split', pattern: { Regex: `\\p{${category}}` }, behavior: 'Isolated', invert: false },
      post_processor: null,
      decoder: null,
      model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
    }),
  ).getPreTokenizer();
  const members = new Set();
  for (let at = 0; at < everyCodePoint.length; at += 4096) {
    // NUL is in no class that is asked for: a member stands alone, anything else has NULs around it.
    const text = everyCodePoint
      .slice(at, at + 4096)
      .map((point) => `${String.fromCodePoint(point)}\0`)
      .join('');
    for (const [piece] of preTokenizer.preTokenizeString(text)) {
      if (piece !== '\0' && [...piece].length === 1) members.add(piece.codePointAt(0));
    }
  }
  return members;
}

/** The Unicode version in which code points were added, as far as it matters: taken from their age in this engine's tables. */
function isNewerThanBase(point) {
  return !ASSIGNED_IN_BASE.has(point);
}

// Python's unicodedata is the only table of an older version at hand; 14.0 is older than the base and therefore safe.
const ASSIGNED_IN_BASE = new Set(
  JSON.parse(
    execFileSync(
      'python3',
      [
        '-c',
        `import unicodedata, json
assert float(unicodedata.unidata_version[:4]) <= ${BASE_VERSION}
print(json.dumps([p for p in range(0x110000) if unicodedata.category(chr(p)) != 'Cn']))`,
      ],
      { maxBuffer: 2 ** 28 },
    ).toString(),
  ),
);

function pinnedCategories() {
  const rust = CATEGORIES.map((category) => [category, rustClass(category)]);
  const pinned = [];
  for (const point of everyCodePoint) {
    const category = rust.find(([, members]) => members.has(point))?.[0] ?? 'C';
    const here = CATEGORIES.find((name) => new RegExp(`^\\p{${name}}$`, 'u').test(String.fromCodePoint(point))) ?? 'C';
    const isNew = isNewerThanBase(point) && (category !== 'C' || here !== 'C');
    if (isNew || category !== here) pinned.push([point, category]);
  }
  return pinned;
}

/** Code points that this engine reorders, composes or decomposes and the Rust library leaves alone. */
function inertIn(form, rustForm) {
  const contexts = [(c) => c, (c) => `a${c}\u0301`, (c) => `\u0301${c}\u0323`, (c) => `\u0323${c}`];
  return everyCodePoint.filter((point) => {
    if (point === 0) return false;
    const character = String.fromCodePoint(point);
    return contexts.some(
      (context) => context(character).normalize(form) !== rustForm.normalizeString(context(character)),
    );
  });
}

function toRanges(pairs) {
  const ranges = [];
  for (const [point, value] of pairs) {
    const last = ranges.at(-1);
    if (last && last[1] === point - 1 && last[2] === value) last[1] = point;
    else ranges.push([point, point, value]);
  }
  return ranges;
}

const pinnedPoints = pinnedCategories();
const pinned = toRanges(pinnedPoints);
const pinnedIn = (property) => {
  const members = rustClass(property);
  return toRanges(pinnedPoints.filter(([point]) => members.has(point)).map(([point]) => [point, '']));
};
const composed = inertIn('NFC', tokenizers.nfcNormalizer());
const decomposed = inertIn('NFD', tokenizers.nfdNormalizer());
// What such a code point is composed of must not compose either, except for the old dot above (0x307): its partners are here.
const parts = decomposed
  .flatMap((point) => [...String.fromCodePoint(point).normalize('NFD')].map((c) => c.codePointAt(0)))
  .filter((point) => point !== 0x307);
const canonical = toRanges(
  [...new Set([...composed, ...decomposed, ...parts])].sort((a, b) => a - b).map((p) => [p, '']),
);

const byCategory = Object.groupBy
  ? Object.groupBy(pinned, ([, , category]) => category)
  : pinned.reduce((groups, range) => ({ ...groups, [range[2]]: [...(groups[range[2]] ?? []), range] }), {});
/** As a template, in lines of some 110 characters. */
const print = (ranges) => {
  const text = ranges.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`)).join(' ');
  return `\`\n    ${text.replace(/(.{1,106})( |$)/g, '$1\n    ').trim()}\``;
};

writeFileSync(
  new URL('../../../src/engine/tokenizer/unicodeTables.ts', import.meta.url),
  `// Made by test/support/tokenizers/makeUnicodeTables.mjs: do not edit. Code points and ranges of them, in hexadecimal.

/** General categories, with all of C as one. */
export type Category = ${[...CATEGORIES, 'C'].map((name) => `'${name}'`).join(' | ')};

/** Scripts that patterns may name. */
export type Script = ${SCRIPTS.map((name) => `'${name}'`).join(' | ')};

/** Code points younger than the oldest Unicode of a supported engine, under what the Rust tokenizers library takes them for. */
export const PINNED_CATEGORIES: Readonly<Partial<Record<Category, string>>> = {
${Object.entries(byCategory)
  .map(([category, ranges]) => `  ${category}: ${print(ranges)},`)
  .join('\n')}
};

/** The letters among them. */
export const PINNED_ALPHABETIC = ${print(pinnedIn('Alphabetic'))};

/** And their scripts. */
export const PINNED_SCRIPTS: Readonly<Record<Script, string>> = {
${SCRIPTS.map((name) => `  ${name}: ${print(pinnedIn(name))},`).join('\n')}
};

/** Code points that the Rust tokenizers library, whose normalisation is that of an old Unicode, leaves alone in NFC and NFD. */
export const INERT_IN_NORMALIZATION = ${print(canonical)};
`,
);
console.log(
  `${pinned.length} ranges pinned, ${canonical.length} inert (of ${composed.length} and ${decomposed.length} points)`,
);
