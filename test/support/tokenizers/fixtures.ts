import { trainMerges } from './trainMerges.ts';
import { TRAINING_TEXT } from './trainingText.ts';

/** tokenizer.json files of every kind that the supported families use, in small: trained here, on a text written for it. */
export const FIXTURES: Readonly<Record<string, () => object>> = {
  'GPT-2': () =>
    byteLevel({
      preTokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      added: [special('<|endoftext|>')],
      postProcessor: BYTE_LEVEL,
    }),
  'OPT, with a start token': () =>
    byteLevel({
      preTokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      added: [special('<pad>'), special('</s>')],
      postProcessor: (ids) => template({ before: [['</s>', ids('</s>')]] }),
    }),
  'byte level with a space in front': () =>
    byteLevel({
      preTokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      added: [special('<s>'), special('</s>')],
      postProcessor: (ids) => ({
        type: 'RobertaProcessing',
        sep: ['</s>', ids('</s>')],
        cls: ['<s>', ids('<s>')],
        trim_offsets: true,
        add_prefix_space: true,
      }),
    }),
  'LLaMA-3': () =>
    byteLevel({
      preTokenizer: splitThenBytes(LLAMA3_WORDS),
      ignoreMerges: true,
      wholeWords: [' government', 'Unbelievable'],
      added: [special('<|begin_of_text|>'), special('<|end_of_text|>'), special('<|reserved_special_token_0|>')],
      postProcessor: (ids) => ({
        type: 'Sequence',
        processors: [BYTE_LEVEL, template({ before: [['<|begin_of_text|>', ids('<|begin_of_text|>')]] })],
      }),
    }),
  'Qwen2 and Qwen3': () =>
    byteLevel({
      normalizer: { type: 'NFC' },
      preTokenizer: splitThenBytes(QWEN_WORDS),
      added: [special('<|endoftext|>'), special('<|im_start|>'), { ...special('<tool_call>'), special: false }],
      postProcessor: BYTE_LEVEL,
    }),
  'Tekken (Mistral NeMo)': () =>
    byteLevel({
      preTokenizer: splitThenBytes(TEKKEN_WORDS),
      ignoreMerges: true,
      added: [special('<s>'), special('[INST]'), special('[/INST]')],
      postProcessor: (ids) => template({ before: [['<s>', ids('<s>')]] }),
    }),
  'digits one by one': () =>
    byteLevel({
      preTokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Digits', individual_digits: true },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
      added: [special('<|endoftext|>')],
    }),
  'digits together': () =>
    byteLevel({
      preTokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Digits', individual_digits: false },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
        ],
      },
    }),
  'bytes without words': () =>
    byteLevel({ preTokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false } }),
  'bytes that are missing': () =>
    byteLevel({
      preTokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      leftOut: ['Ã', 'e', 'Ģ'],
    }),
  NFD: () => byteLevel({ normalizer: { type: 'NFD' }, preTokenizer: splitThenBytes(QWEN_WORDS) }),
  'added tokens of all kinds': () =>
    byteLevel({
      normalizer: {
        type: 'Sequence',
        normalizers: [{ type: 'Replace', pattern: { String: 'q' }, content: 'k$&' }, { type: 'NFC' }],
      },
      preTokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      added: [
        special('<s>'),
        { ...special('<mask>'), lstrip: true },
        { ...special('<left>'), lstrip: true, rstrip: true },
        { ...special('<right>'), rstrip: true, normalized: true },
        { ...special('word'), single_word: true, special: false },
        { ...special('qué'), normalized: true, special: false },
        { ...special('<s'), special: false },
        { ...special('<s>>'), normalized: true },
        { ...special('.'), single_word: true, normalized: true, special: false },
      ],
    }),
  'LLaMA-1, LLaMA-2, Vicuna, Mistral': () =>
    sentencePiece({
      normalizer: PREPEND_AND_REPLACE,
      postProcessor: (ids) => template({ before: [['<s>', ids('<s>')]] }),
    }),
  'LLaMA-2 with normalised added tokens': () =>
    sentencePiece({
      normalizer: PREPEND_AND_REPLACE,
      tokens: { normalized: true },
      added: [special('[INST]'), special('<pad>')],
    }),
  'LLaMA-2 after 2024 (Metaspace at the start only)': () =>
    sentencePiece({
      preTokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
      added: [special('[INST]'), { ...special('<tool>'), normalized: true }],
      postProcessor: (ids) => template({ before: [['<s>', ids('<s>')]], after: [['</s>', ids('</s>')]] }),
    }),
  'Metaspace of old files': () =>
    sentencePiece({ preTokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true } }),
  'Metaspace at the start only, split': () =>
    sentencePiece({ preTokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true } }),
  'Metaspace without a space in front': () =>
    sentencePiece({ preTokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true } }),
  'SentencePiece with merges across spaces': () =>
    sentencePiece({ normalizer: PREPEND_AND_REPLACE, acrossSpaces: true }),
  'unknown characters fused': () =>
    sentencePiece({ normalizer: PREPEND_AND_REPLACE, byteFallback: false, fuseUnknown: true }),
  'unknown characters one by one': () =>
    sentencePiece({ normalizer: PREPEND_AND_REPLACE, byteFallback: false, fuseUnknown: false }),
  'unknown characters left out': () =>
    sentencePiece({ normalizer: PREPEND_AND_REPLACE, byteFallback: false, fuseUnknown: false, unknown: null }),
  ...Object.fromEntries(
    (['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const).flatMap((behavior) =>
      [false, true].map((invert) => [
        `split, ${behavior}${invert ? ', inverted' : ''}`,
        () =>
          byteLevel({
            preTokenizer: {
              type: 'Sequence',
              pretokenizers: [
                { type: 'Split', pattern: { Regex: String.raw`\s|\p{N}{1,2}|,?` }, behavior, invert },
                { type: 'Split', pattern: { String: 'an' }, behavior, invert: false },
                { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: false },
              ],
            },
          }),
      ]),
    ),
  ),
};

const LLAMA3_WORDS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN_WORDS = LLAMA3_WORDS.replace('{1,3}', '');
const TEKKEN_WORDS = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true };
const PREPEND_AND_REPLACE = {
  type: 'Sequence',
  normalizers: [
    { type: 'Prepend', prepend: '▁' },
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  ],
};

interface AddedToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

type MakePostProcessor = (ids: (token: string) => number) => object;
type PostProcessor = object | MakePostProcessor;

function special(content: string): AddedToken {
  return { content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

function splitThenBytes(pattern: string): object {
  return {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  };
}

type Named = readonly (readonly [name: string, id: number])[];

function template({ before = [], after = [] }: { before?: Named; after?: Named }): object {
  const piece = ([id]: readonly [string, number]): object => ({ SpecialToken: { id, type_id: 0 } });
  const text = (id: string, type_id: number): object => ({ Sequence: { id, type_id } });
  return {
    type: 'TemplateProcessing',
    single: [...before.map(piece), text('A', 0), ...after.map(piece)],
    pair: [text('A', 0), text('B', 1)],
    special_tokens: Object.fromEntries(
      [...before, ...after].map(([name, id]) => [name, { id: name, ids: [id], tokens: [name] }]),
    ),
  };
}

function byteLevel(options: {
  preTokenizer: object;
  normalizer?: object;
  postProcessor?: PostProcessor;
  added?: readonly AddedToken[];
  ignoreMerges?: boolean;
  /** Tokens that no merge makes: they count only with ignore_merges. */
  wholeWords?: readonly string[];
  leftOut?: readonly string[];
}): object {
  const words = TRAINING_TEXT.match(/ ?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu)!.map(asBytes);
  const leftOut = new Set(options.leftOut);
  const merges = learn('bytes', words).filter(
    (pair) => !pair.some((part) => [...leftOut].some((c) => part.includes(c))),
  );
  const alphabet = Array.from({ length: 256 }, (_, byte) => BYTE_CHARACTERS[byte]!).filter((c) => !leftOut.has(c));
  const tokens = [...alphabet, ...merges.map((pair) => pair.join('')), ...(options.wholeWords ?? []).map(asBytes)];
  return assemble({ ...options, tokens, merges, model: { ignore_merges: options.ignoreMerges ?? false } });
}

function sentencePiece(options: {
  preTokenizer?: object;
  normalizer?: object;
  postProcessor?: PostProcessor;
  added?: readonly AddedToken[];
  tokens?: Partial<AddedToken>;
  byteFallback?: boolean;
  fuseUnknown?: boolean;
  unknown?: null;
  acrossSpaces?: boolean;
}): object {
  const marked = TRAINING_TEXT.replaceAll(' ', '▁');
  const pattern = options.acrossSpaces ? /[^\n]+|\n+/gu : /▁*[^▁]+|▁+/gu;
  const runs = ['▁▁▁▁▁▁▁▁', '▁▁▁▁▁▁▁▁', '▁▁▁▁', '▁▁▁▁'];
  const merges = learn(String(pattern), [...marked.match(pattern)!, ...runs]);
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const fallback = options.byteFallback ?? true;
  const letters = new Set(merges.flatMap((pair) => pair.flatMap((part) => Array.from(part))));
  return assemble({
    ...options,
    added: [
      ...['<unk>', '<s>', '</s>'].map((content) => ({ ...special(content), ...options.tokens })),
      ...(options.added ?? []),
    ],
    tokens: ['<unk>', '<s>', '</s>', ...(fallback ? bytes : []), ...merges.map((pair) => pair.join('')), ...letters],
    merges,
    model: {
      unk_token: options.unknown === null ? null : '<unk>',
      byte_fallback: fallback,
      fuse_unk: options.fuseUnknown ?? true,
    },
  });
}

const MERGES = 300;
const learned = new Map<string, [string, string][]>();

/** Many fixtures learn from the same words. */
function learn(name: string, words: readonly string[]): readonly [string, string][] {
  const merges = learned.get(name) ?? trainMerges(words, MERGES);
  learned.set(name, merges);
  return merges;
}

function assemble(parts: {
  preTokenizer?: object;
  normalizer?: object;
  postProcessor?: PostProcessor;
  added?: readonly AddedToken[];
  tokens: readonly string[];
  merges: readonly [string, string][];
  model: object;
}): object {
  const ids = new Map<string, number>();
  for (const token of parts.tokens) if (!ids.has(token)) ids.set(token, ids.size);
  const vocab = Object.fromEntries(ids);
  for (const { content } of parts.added ?? []) if (!ids.has(content)) ids.set(content, ids.size);
  const idOf = (token: string): number => ids.get(token)!;
  const { postProcessor } = parts;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: (parts.added ?? []).map((token) => ({ id: idOf(token.content), ...token })),
    normalizer: parts.normalizer ?? null,
    pre_tokenizer: parts.preTokenizer ?? null,
    post_processor:
      typeof postProcessor === 'function' ? (postProcessor as MakePostProcessor)(idOf) : (postProcessor ?? null),
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      ...parts.model,
      vocab,
      // The spelling of old files, which most published ones still have.
      merges: parts.merges.map((pair) => pair.join(' ')),
    },
  };
}

/** GPT-2's characters for bytes, written down anew: printable Latin-1 stands for itself. */
const BYTE_CHARACTERS = Array.from({ length: 256 }, (_, byte) => {
  const isPrintable = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  if (isPrintable(byte)) return String.fromCharCode(byte);
  const before = Array.from({ length: byte }, (_, b) => b).filter((b) => !isPrintable(b)).length;
  return String.fromCharCode(256 + before);
});

function asBytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => BYTE_CHARACTERS[byte]!).join('');
}
