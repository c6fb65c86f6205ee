// Writes src/engine/tokenizer/characterTables.ts: node test/support/tokenizers/makeCharacterTables.mjs
//
// What the Rust tokenizers library takes each character for (a letter of a word, a number, punctuation, an accent, a part of a
// cluster, a script) comes from tables of several Unicode versions. This script asks it about every code point.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tokenizers = createRequire(import.meta.url)('tokenizers');

const everyCodePoint = Array.from({ length: 0x110000 }, (_, point) => point).filter((p) => p < 0xd800 || p >= 0xe000);
const BATCH = 4096;

function tokenizer(parts) {
  const model = { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' };
  return tokenizers.Tokenizer.fromString(JSON.stringify({ version: '1.0', added_tokens: [], model, ...parts }));
}

/** All code points with their characters. */
function* inBatches() {
  for (let at = 0; at < everyCodePoint.length; at += BATCH) {
    yield everyCodePoint.slice(at, at + BATCH).map((point) => [point, String.fromCodePoint(point)]);
  }
}

/** Code points that stand alone between separators after pre-tokenizing. */
function isolatedBy(pre_tokenizer, separator) {
  const preTokenizer = tokenizer({ pre_tokenizer }).getPreTokenizer();
  const members = [];
  for (const batch of inBatches()) {
    const text = batch.map(([, character]) => separator + character).join('') + separator;
    const pieces = new Set(preTokenizer.preTokenizeString(text).map(([piece]) => piece));
    for (const [point, character] of batch) if (character !== separator && pieces.has(character)) members.push(point);
  }
  return members;
}

/** What becomes of each code point, between two separators, in a normaliser. */
function normalizedBy(normalizer, wrap = (character) => character, separator = '|') {
  const rust = tokenizer({ normalizer }).getNormalizer();
  const answers = new Map();
  for (const batch of inBatches()) {
    const parts = rust.normalizeString(batch.map(([, c]) => wrap(c)).join(separator)).split(separator);
    // A separator among the characters would shift the rest.
    const isWhole = parts.length === batch.length;
    for (const [i, [point, c]] of batch.entries()) {
      answers.set(point, isWhole ? parts[i] : rust.normalizeString(wrap(c)));
    }
  }
  return answers;
}

const where = (answers, holds) =>
  [...answers].filter(([point, answer]) => holds(answer, point)).map(([point]) => point);

const bert = (options) => ({
  type: 'BertNormalizer',
  clean_text: false,
  handle_chinese_chars: false,
  strip_accents: false,
  lowercase: false,
  ...options,
});

/** A table of SentencePiece (a Darts double array) in which each of the bytes, as the first of a text, becomes an X. */
function charsmap(bytes) {
  const units = new Uint32Array(2048);
  units[0] = 256 << 10;
  for (const byte of bytes) {
    units[256 ^ byte] = (1024 << 10) | (1 << 8) | byte;
    units[256 ^ byte ^ 1024] = 0x80000000;
  }
  const blob = Buffer.concat([Buffer.alloc(4), Buffer.from(units.buffer), Buffer.from('X\0')]);
  blob.writeUInt32LE(units.byteLength);
  return { type: 'Precompiled', precompiled_charsmap: blob.toString('base64') };
}

/**
 * The library maps a cluster of less than six bytes as one. So the number of Xs tells where it sees clusters: `text` puts the
 * character among others, and `count` is how many there are where nothing joins or parts.
 */
const LEADS = charsmap(Array.from({ length: 0xf4 - 0xc2 + 1 }, (_, i) => 0xc2 + i));
const clusters = (text, holds) =>
  where(normalizedBy(LEADS, text), (answer, point) => holds(answer, point < 0x80 ? -1 : 0));

const extending = where(
  normalizedBy(charsmap([0x61]), (c) => `a${c}`),
  (answer) => answer === 'X',
);
const control = clusters(
  (c) => `${c}\u0301\u0301`,
  (answer, ascii) => [...answer].length === 2 && ascii <= 0,
);
const tables = {
  WORD: [isolatedBy({ type: 'Whitespace' }, '\0'), 'Letters of a word: `\\w` of Rust’s regular expressions.'],
  NUMERIC: [isolatedBy({ type: 'Digits', individual_digits: true }, '\0'), 'Numbers of any kind.'],
  PUNCTUATION: [
    isolatedBy({ type: 'Punctuation', behavior: 'Isolated' }, 'a'),
    'Punctuation, as of Unicode 8, and that of ASCII.',
  ],
  OTHER: [
    where(normalizedBy(bert({ clean_text: true })), (answer) => answer === ''),
    'What BertNormalizer’s `clean_text` leaves out: controls, formats, private use.',
  ],
  ACCENTS: [
    where(normalizedBy(bert({ strip_accents: true })), (answer) => answer === ''),
    'What BertNormalizer’s `strip_accents` leaves out of decomposed text: non-spacing marks, as of Unicode 8.',
  ],
  MARKS: [
    where(normalizedBy({ type: 'StripAccents' }), (answer) => answer === ''),
    'What StripAccents leaves out: all marks, as of Unicode 9.',
  ],
  EXTENDING: [extending, 'Joins the character before it in a cluster: Extend, SpacingMark, ZWJ.'],
  EXTEND: [
    clusters(
      (c) => `©${c}\u200d©\u0301`,
      (answer) => answer === 'XXXXX',
    ).filter((p) => extending.includes(p)),
    'Of these, what may stand between two that ZWJ joins: Extend.',
  ],
  PREPENDING: [
    clusters(
      (c) => `${c}a`,
      (answer) => answer === 'X',
    ),
    'Joins the character after it in a cluster: Prepend.',
  ],
  CONTROL: [control, 'Joins nothing in a cluster: Control.'],
  PICTOGRAPHS: [
    clusters(
      (c) => `©\u200d${c}\u0301\u0301`,
      (answer) => answer === 'XXXXX',
    ).filter((p) => !extending.includes(p)),
    'Joined by ZWJ: Extended_Pictographic.',
  ],
  CONSONANTS: [
    clusters(
      (c) => `\u0915\u094d${c}\u0301`,
      (answer) => answer === 'XXXX',
    ).filter((p) => p >= 0x80 && p < 0x10000 && !extending.includes(p) && !control.includes(p)),
    'Joined by a linker: InCB=Consonant (those of three bytes, since longer clusters are not mapped as one).',
  ],
  LINKERS: [
    clusters(
      (c) => `\u0915${c}\u0915\u0301`,
      (answer) => answer === 'XXXX',
    ).filter((p) => extending.includes(p)),
    'InCB=Linker.',
  ],
};

/** Lower case where it is not what an engine of Unicode 15 gives, or where it is one that came later. */
function lowercasePairs() {
  return [...normalizedBy({ type: 'Lowercase' })]
    .filter(([point, answer]) => YOUNG.has(point) || answer !== String.fromCodePoint(point).toLowerCase())
    .map(([point, answer]) => [point, answer.codePointAt(0)]);
}

/** Code points that this engine decomposes or composes and the Rust library leaves alone, in the forms of compatibility only. */
function inertInCompatibility() {
  const contexts = [(c) => c, (c) => `a${c}\u0301`, (c) => `\u0301${c}\u0323`];
  const inert = new Set();
  for (const form of ['NFKC', 'NFKD']) {
    for (const context of contexts) {
      for (const [point, answer] of normalizedBy({ type: form }, context, '|')) {
        const text = context(String.fromCodePoint(point));
        if (answer !== text.normalize(form)) inert.add(point);
      }
    }
  }
  return [...inert].sort((a, b) => a - b);
}

/** Cased letters that came after Unicode 15.0. */
const YOUNG = new Set(
  [
    [0x1c89, 0x1c8a],
    [0xa7cb, 0xa7cd],
    [0xa7ce, 0xa7d5],
    [0xa7da, 0xa7dc],
    [0x10d50, 0x10d65],
    [0x16ea0, 0x16eb8],
  ].flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
);

/** Ranges of code points that UnicodeScripts takes for one script; those of none are left out. */
function scriptRanges() {
  const preTokenizer = tokenizer({ pre_tokenizer: { type: 'UnicodeScripts' } }).getPreTokenizer();
  /** Whether each character forms one piece with the one of `like`. */
  const areLike = (like, characters) => {
    const found = [];
    for (let at = 0; at < characters.length; at += BATCH) {
      const batch = characters.slice(at, at + BATCH);
      const starts = new Set();
      let reached = 0;
      for (const [piece] of preTokenizer.preTokenizeString(like + batch.join(like) + like)) {
        starts.add(reached);
        reached += piece.length;
      }
      let at2 = like.length;
      for (const character of batch) {
        found.push(!starts.has(at2) && !starts.has(at2 + character.length));
        at2 += character.length + like.length;
      }
    }
    return found;
  };
  const all = everyCodePoint.map((point) => String.fromCodePoint(point));
  const latin = areLike('a', all);
  const han = areLike('語', all);
  let rest = everyCodePoint.filter((_, i) => !(latin[i] && han[i]));
  const scripts = [];
  while (rest.length > 0) {
    const like = areLike(
      String.fromCodePoint(rest[0]),
      rest.map((point) => String.fromCodePoint(point)),
    );
    scripts.push(rest.filter((_, i) => like[i]));
    rest = rest.filter((_, i) => !like[i]);
  }
  return scripts;
}

const hex = (point) => point.toString(16);
function toRanges(points) {
  const ranges = [];
  for (const point of points) {
    const last = ranges.at(-1);
    if (last && last[1] === point - 1) last[1] = point;
    else ranges.push([point, point]);
  }
  return ranges;
}
const printRanges = (points) =>
  toRanges(points)
    .map(([a, b]) => (a === b ? hex(a) : `${hex(a)}-${hex(b)}`))
    .join(' ');
/** As a template, in lines of some 110 characters. */
const template = (text) => `\`\n    ${text.replace(/(.{1,106})( |$)/g, '$1\n    ').trim()}\``;

const lowercase = lowercasePairs();
const scripts = scriptRanges();
const inert = inertInCompatibility();
writeFileSync(
  new URL('../../../src/engine/tokenizer/characterTables.ts', import.meta.url),
  `// Made by test/support/tokenizers/makeCharacterTables.mjs: do not edit. Code points and ranges of them, in hexadecimal.

${Object.entries(tables)
  .map(([name, [points, what]]) => `/** ${what} */\nexport const ${name} = ${template(printRanges(points))};`)
  .join('\n\n')}

/** Upper case letters that engines may not know of, or know and Rust does not, and what they are in lower case. */
export const LOWERCASE = ${template(lowercase.map(([a, b]) => `${hex(a)}:${hex(b)}`).join(' '))};

/** Code points that the library, whose normalisation is that of an old Unicode, leaves alone in NFKC and NFKD, too. */
export const INERT_IN_COMPATIBILITY = ${template(printRanges(inert))};

/** Scripts, as of Unicode 8, with kana taken for Han; a character of none of them has none. */
export const SCRIPTS: readonly string[] = [
${scripts.map((points) => `  ${template(printRanges(points))},`).join('\n')}
];
`,
);
for (const [name, [points]] of Object.entries(tables)) console.log(name, points.length, toRanges(points).length);
console.log(
  'lowercase',
  lowercase.length,
  'scripts',
  scripts.length,
  scripts.reduce((n, s) => n + toRanges(s).length, 0),
);
