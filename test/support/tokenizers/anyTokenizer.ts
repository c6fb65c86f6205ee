import fc from 'fast-check';
import { makeCharsmap } from './makeCharsmap.ts';

/** Fragments that texts and vocabularies are made of: what normalisers change, what pre-tokenizers cut at, what models lack. */
const FRAGMENTS = [
  'the', 'The', 'THE ', 'river', ' an', 'naïve', 'nai\u0308ve', 'éa', 'e\u0301', 'E\u0301\u0323', 'İi', 'Σας', 'ß', 'ﬁsh', '①２½', '１２', '42', '7', '٣', 'Ⅷ',
  ' ', '  ', '\t', '\n', '\r\n', '\u00a0', '\u3000', '\u200b', '\u2028', '\u0085', '\ufeff', '\u200d', '▁', '▁▁', '_',
  '語', '日本', 'ひら', 'カタ', 'ｶﾞ', '한국', '\u1112\u1161\u11ab', 'Привет', 'שלום', 'ا\u064b', 'नमस्ते', 'क्\u200dष', '\u0915\u094d\u0937\u0301',
  '.', ',', "'s", "n't", '—', '!?', '$', '+', '<', '>', '<s>', '[X]', '##', 'q', 'zz', 'aaaa', 'abababab',
  '😀', '👩\u200d👩', '🇩🇪', '©\u200d©\u0301', '\u{1d7d8}', '\u{20000}', '\u{16ea0}', '\u0897', '\ua7dc', '\u{1ccd6}', '\0', '\x01', '\x7f', '\u00ad', '\u0600a', '\uffff', '\ufffd', 'Å', '㍻', '\u0344', '\u{10400}',
]; // prettier-ignore

export const anyText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...FRAGMENTS) },
      fc.string({ unit: 'grapheme', maxLength: 3 }),
      fc.string({ unit: 'binary', maxLength: 2 }),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join('').toWellFormed());

const flag = fc.boolean();
const behavior = fc.constantFrom('Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous');

/** The table of sentencepiece's own kind: NFKC for some, things left out, clusters. */
const CHARSMAP = makeCharsmap([
  ['\u00a0', ' '], ['\u3000', ' '], ['\t', ' '], ['\n', ' '], ['\r\n', '¶'], ['\r', ''], ['\u200b', ''], ['\x01', ''], ['\u00ad', ''], ['ﬁ', 'fi'], ['①', '1'], ['１', '1'], ['２', '2'], ['½', '1⁄2'],
  ['e\u0301', 'é'], ['E\u0301', 'É'], ['i\u0308', 'ï'], ['ｶﾞ', 'ガ'], ['㍻', '平成'], ['\u1112\u1161\u11ab', '한'], ['ا', 'a'], ['©', '(c)'], ['\u0301', "'"], ['\u{1d7d8}', '0'], ['q', 'kw'],
]); // prettier-ignore

const plainNormalizer = fc.oneof(
  fc
    .constantFrom('NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel')
    .map((type) => ({ type })),
  fc.record({ type: fc.constant('Strip'), strip_left: flag, strip_right: flag }),
  fc.record({
    type: fc.constant('BertNormalizer'),
    clean_text: flag,
    handle_chinese_chars: flag,
    strip_accents: fc.option(flag),
    lowercase: flag,
  }),
  fc.constant({ type: 'Precompiled', precompiled_charsmap: CHARSMAP }),
  fc.record({ type: fc.constant('Prepend'), prepend: fc.constantFrom('▁', ' ', 'ab') }),
  fc.record({
    type: fc.constant('Replace'),
    pattern: fc.oneof(
      fc.constantFrom(' ', 'q', 'an', '▁', '😀').map((text) => ({ String: text })),
      fc
        .constantFrom(' {2,}', String.raw`\s+`, String.raw`\p{M}`, String.raw`(?<=a)b`, '[éß]|l+')
        .map((source) => ({ Regex: source })),
    ),
    content: fc.constantFrom('▁', ' ', '', 'xy', '$&'),
  }),
);

const anyNormalizer = fc.oneof(
  fc.constant(null),
  plainNormalizer,
  fc.array(plainNormalizer, { maxLength: 4 }).map((normalizers) => ({ type: 'Sequence', normalizers })),
  fc.tuple(plainNormalizer, fc.array(plainNormalizer, { maxLength: 2 })).map(([first, inner]) => ({
    type: 'Sequence',
    normalizers: [first, { type: 'Sequence', normalizers: inner }],
  })),
);

const PATTERNS = [
  String.raw`\s`, String.raw`\w+`, String.raw`[^\s\p{L}\p{N}]+`, String.raw`\p{N}{1,3}`, String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`, '[0-9][0-9]', ' ?[^(\\s|[.,!?…。，、।۔،])]+', String.raw`\p{Han}+|\p{Hiragana}+`, '[一-龥぀-ゟ゠-ヿ]+',
  '^.', '.$', String.raw`\bt`, String.raw`(?>a+)b`, String.raw`[a-z&&[^aeiou]]+`, '[[:punct:]]', String.raw`\h+`, ',?', '(?=[A-Z])', String.raw`(?:\p{Lu}|\p{Lt})?\p{Ll}+`,
]; // prettier-ignore

const plainPreTokenizer = fc.oneof(
  fc.constantFrom('Whitespace', 'WhitespaceSplit', 'BertPreTokenizer', 'UnicodeScripts').map((type) => ({ type })),
  fc.record({ type: fc.constant('Punctuation'), behavior }),
  fc.record({ type: fc.constant('Digits'), individual_digits: flag }),
  fc.record({ type: fc.constant('CharDelimiterSplit'), delimiter: fc.constantFrom(' ', 'e', '語', '😀', '▁') }),
  fc.record({ type: fc.constant('FixedLength'), length: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ type: fc.constant('ByteLevel'), add_prefix_space: flag, trim_offsets: flag, use_regex: flag }),
  fc.record({
    type: fc.constant('Metaspace'),
    replacement: fc.constantFrom('▁', '_', '😀'),
    prepend_scheme: fc.constantFrom('always', 'first', 'never'),
    split: flag,
  }),
  fc.record({
    type: fc.constant('Split'),
    pattern: fc.oneof(
      fc.constantFrom(' ', 'an', '.', '▁').map((text) => ({ String: text })),
      fc.constantFrom(...PATTERNS).map((source) => ({ Regex: source })),
    ),
    behavior,
    invert: flag,
  }),
);

const anyPreTokenizer = fc.oneof(
  fc.constant(null),
  plainPreTokenizer,
  fc.array(plainPreTokenizer, { maxLength: 3 }).map((pretokenizers) => ({ type: 'Sequence', pretokenizers })),
  fc.tuple(plainPreTokenizer, fc.array(plainPreTokenizer, { maxLength: 2 })).map(([first, inner]) => ({
    type: 'Sequence',
    pretokenizers: [{ type: 'Sequence', pretokenizers: inner }, first],
  })),
);

const LETTERS = [...new Set(FRAGMENTS.join('') + 'abcdefghiklmnoprstuvwyz▁_ĠĊâéÃ©çªłèŀð')];
/** Tokens: letters, and stretches of fragments with what models and pre-tokenizers put before and after them. */
const anyToken = fc
  .tuple(
    fc.constantFrom('', '', '', '▁', 'Ġ', '##', ' '),
    fc.oneof(
      fc.constantFrom(...LETTERS),
      fc.constantFrom(...FRAGMENTS),
      fc.tuple(fc.constantFrom(...LETTERS), fc.constantFrom(...LETTERS)).map((pair) => pair.join('')),
    ),
    fc.constantFrom('', '', '', '</w>'),
  )
  .map((parts) => parts.join(''));
const anyTokens = fc
  .tuple(fc.subarray(LETTERS, { minLength: 60 }), fc.uniqueArray(anyToken, { maxLength: 80 }), flag, flag)
  .map(([letters, tokens, hasBytes, hasAll]) => [
    ...new Set(['<unk>', ...(hasAll ? LETTERS : letters), ...tokens, ...(hasBytes ? BYTES : BYTES.slice(0, 0x90))]),
  ]);
const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);

const anyBytePairs = fc
  .record({
    tokens: anyTokens,
    pairs: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 120 }),
    unk_token: fc.option(fc.constant('<unk>')),
    continuing_subword_prefix: fc.constantFrom(null, null, '', '##'),
    end_of_word_suffix: fc.constantFrom(null, null, '', '</w>'),
    fuse_unk: flag,
    byte_fallback: flag,
    ignore_merges: flag,
    areTexts: flag,
  })
  .map(({ tokens, pairs, areTexts, ...rest }) => {
    const prefix = rest.continuing_subword_prefix ?? '';
    const vocabulary = [...new Set([...tokens, ...(prefix === '' ? [] : LETTERS.map((letter) => prefix + letter))])];
    const merges: [string, string][] = [];
    for (const [i, j] of pairs) {
      const left = vocabulary[i % vocabulary.length]!;
      const rights = vocabulary.filter((token) => token.startsWith(prefix) && token !== prefix);
      const right = rights[j % rights.length]!;
      if (areTexts && (left + right).includes(' ')) continue;
      const merged = left + right.slice(prefix.length);
      if (!vocabulary.includes(merged)) vocabulary.push(merged);
      merges.push([left, right]);
    }
    const isOld = areTexts && !merges.some(([left]) => left.startsWith('#version'));
    return {
      type: 'BPE',
      dropout: null,
      ...rest,
      vocab: numbered(vocabulary),
      merges: isOld ? merges.map((pair) => pair.join(' ')) : merges,
    };
  });

const anyWordPiece = fc
  .record({
    tokens: anyTokens,
    continuing_subword_prefix: fc.constantFrom('##', '', '▁'),
    max_input_chars_per_word: fc.constantFrom(100, 4, 1, 0),
  })
  .map(({ tokens, ...rest }) => ({
    type: 'WordPiece',
    unk_token: '<unk>',
    ...rest,
    vocab: numbered([...new Set([...tokens, ...LETTERS.map((l) => `##${l}`)])]),
  }));

const anyWordLevel = anyTokens.map((tokens) => ({ type: 'WordLevel', unk_token: '<unk>', vocab: numbered(tokens) }));

const anyUnigram = fc
  .record({
    tokens: anyTokens,
    scores: fc.array(fc.oneof(fc.integer({ min: -12, max: 0 }), fc.double({ min: -20, max: 3, noNaN: true })), {
      minLength: 1,
      maxLength: 50,
    }),
    unk_id: fc.constantFrom(0, 0, 3),
    byte_fallback: flag,
    repeats: flag,
  })
  .map(({ tokens, scores, repeats, ...rest }) => ({
    type: 'Unigram',
    ...rest,
    vocab: [...tokens, ...(repeats ? tokens.slice(5, 9) : [])].map(
      (token, i) => [token, scores[i % scores.length]!] as const,
    ),
  }));

function numbered(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

const anyAdded = fc.uniqueArray(
  fc.record({
    content: fc.constantFrom(
      '<s>',
      '<S>',
      '</s>',
      '[X]',
      'the',
      'The',
      ' an',
      '語',
      '▁',
      '.',
      'é',
      'ﬁ',
      '\n',
      '  ',
      '<s',
      'q',
      '😀',
      'naïve',
    ),
    single_word: flag,
    lstrip: flag,
    rstrip: flag,
    normalized: flag,
    special: flag,
  }),
  { maxLength: 5, selector: ({ content }) => content },
);

const anyPostProcessor = fc.constantFrom(
  null,
  { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  { type: 'BertProcessing', sep: ['</s>', 2], cls: ['<s>', 1] },
  { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 1], trim_offsets: true, add_prefix_space: false },
  template('<s>', 1),
  {
    type: 'Sequence',
    processors: [
      { type: 'BertProcessing', sep: ['</s>', 2], cls: ['<s>', 1] },
      { type: 'Sequence', processors: [template('<s>', 5)] },
    ],
  },
);

function template(name: string, id: number): object {
  return {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: name, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { [name]: { id: name, ids: [id, id + 1], tokens: [name, name] } },
  };
}

/** A tokenizer.json of any kind that the Rust library takes. */
export const anyTokenizer = fc
  .record({
    model: fc.oneof(anyBytePairs, anyWordPiece, anyWordLevel, anyUnigram),
    normalizer: anyNormalizer,
    pre_tokenizer: anyPreTokenizer,
    post_processor: anyPostProcessor,
    added: anyAdded,
  })
  .map(({ added, ...parts }) => {
    const { vocab } = parts.model;
    const ids: Record<string, number> = Array.isArray(vocab)
      ? Object.fromEntries(vocab.map(([token], id) => [token, id]))
      : { ...vocab };
    let free = Array.isArray(vocab) ? vocab.length : Object.keys(vocab).length;
    const added_tokens = added.map((token) => ({ id: ids[token.content] ?? free++, ...token }));
    return { version: '1.0', truncation: null, padding: null, added_tokens, ...parts, decoder: null };
  });
