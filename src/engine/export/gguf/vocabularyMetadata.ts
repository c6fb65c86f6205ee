import { BYTE_ALPHABET } from '../../tokenizer/byteLevel.ts';
import { type TokenizerSpec } from '../../tokenizer/tokenizerSpec.ts';
import type { SpecialTokens } from '../../tokenizer/specialTokens.ts';
import type { BytePairSpec } from '../../tokenizer/modelSpec.ts';
import type { NormalizerSpec } from '../../tokenizer/normalizerSpec.ts';
import type { GgufValue } from './layout.ts';
import { pieceScores } from './pieceScores.ts';
import { preTokenizerName } from './preTokenizers.ts';

type Entry = readonly [key: string, value: GgufValue];

/** A tokenizer as llama.cpp reads it. */
export interface GgufVocabulary {
  readonly entries: readonly Entry[];
  /** What differs for texts that hardly occur: sentences. */
  readonly notes: readonly string[];
}

/** What is written beside tokenizer.json's parts. */
export interface VocabularyOptions {
  /** Tokens around a text. */
  readonly around: SpecialTokens;
  /** Rows of the embedding: as many tokens are written. */
  readonly rows: number;
  /** `bos_token_id` and the like of config.json. */
  readonly ids: Readonly<Record<'bos' | 'eos' | 'padding', number | undefined>>;
  readonly chatTemplate?: string | undefined;
}

/** `enum llama_token_type` of llama.h. */
const TOKEN = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/**
 * The tokenizer of a checkpoint in llama.cpp's keys: byte-level byte pairs as its model `gpt2`, those of SentencePiece as `llama`.
 *
 * @returns why not, where llama.cpp would make other tokens of a text, or none
 */
export function vocabularyMetadata(
  spec: TokenizerSpec,
  options: VocabularyOptions,
): GgufVocabulary | { readonly refused: string } {
  const { model, added_tokens: added } = spec;
  if (model.type !== 'BPE')
    return { refused: `the tokenizer is of the type ${model.type}, and only byte pairs are written` };
  const odd = added.find(({ lstrip, rstrip, single_word: word }) => lstrip || rstrip || word);
  if (odd)
    return { refused: `the token ${JSON.stringify(odd.content)} takes in spaces, or stands for whole words alone` };
  const { before, after } = options.around;
  if (before.length > 1 || after.length > 1) return { refused: 'several tokens are put before or after a text' };
  const largest = Math.max(...Object.values(model.vocab));
  if (largest >= options.rows)
    return { refused: `the tokenizer has an id ${largest}, and the embedding ${options.rows} rows` };
  const kind = model.byte_fallback ? sentencePiece(spec, model) : byteLevel(spec, model);
  if ('refused' in kind) return kind;
  const { tokens, types } = tokensOf(spec, model, options.rows);
  const entries: readonly Entry[] = [
    ['tokenizer.ggml.tokens', { kind: 'strings', value: tokens }],
    ['tokenizer.ggml.token_type', { kind: 'int32s', value: types }],
    ...kind.entries(tokens),
    ['tokenizer.ggml.add_bos_token', { kind: 'boolean', value: before.length > 0 }],
    ['tokenizer.ggml.add_eos_token', { kind: 'boolean', value: after.length > 0 }],
    ...idEntries(options),
    ...(options.chatTemplate === undefined
      ? []
      : [['tokenizer.chat_template', { kind: 'string', value: options.chatTemplate }] as const]),
  ];
  return { entries, notes: kind.notes };
}

interface Kind {
  readonly entries: (tokens: readonly string[]) => readonly Entry[];
  readonly notes: readonly string[];
}

function byteLevel(
  { normalizer, pre_tokenizer: cut }: TokenizerSpec,
  model: BytePairSpec,
): Kind | { readonly refused: string } {
  const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = model;
  if (prefix || suffix) return { refused: 'the tokenizer marks the parts of words' };
  if (BYTE_ALPHABET.some((character) => !Object.hasOwn(model.vocab, character)))
    return { refused: 'the tokenizer has no token for some of the bytes' };
  const isNfc = normalizer?.type === 'NFC';
  if (normalizer && !isNfc) return { refused: `the tokenizer changes a text before it cuts it (${normalizer.type})` };
  const pre = preTokenizerName(cut, model.ignore_merges);
  if (pre === undefined) return { refused: 'the tokenizer cuts words in a way that llama.cpp has no name for' };
  const notes = isNfc
    ? ['llama.cpp does not compose characters: a text that is not in Unicode’s form NFC becomes other tokens.']
    : [];
  return {
    notes,
    entries: () => [
      ['tokenizer.ggml.model', { kind: 'string', value: 'gpt2' }],
      ['tokenizer.ggml.pre', { kind: 'string', value: pre }],
      ['tokenizer.ggml.merges', { kind: 'strings', value: model.merges.map(mergeText) }],
    ],
  };
}

/** Newer files have a merge as a list of two; GGUF has the older form. Byte-level tokens hold no space. */
function mergeText(merge: unknown): string {
  return typeof merge === 'string' ? merge : (merge as readonly [string, string]).join(' ');
}

function sentencePiece(
  { normalizer, pre_tokenizer: cut }: TokenizerSpec,
  model: BytePairSpec,
): Kind | { readonly refused: string } {
  const prefix = spacePrefix(normalizer, cut);
  if (prefix === undefined) return { refused: 'the tokenizer treats spaces in a way that llama.cpp does not' };
  const scores = pieceScores(model);
  if (typeof scores === 'string')
    return { refused: `its merges do not follow from scores of tokens, as llama.cpp has them: ${scores}` };
  const notes =
    prefix === 'first'
      ? ['llama.cpp puts a space behind every special token, and the tokenizer only before a text.']
      : [];
  return {
    notes,
    entries: (tokens) => [
      ['tokenizer.ggml.model', { kind: 'string', value: 'llama' }],
      ['tokenizer.ggml.pre', { kind: 'string', value: 'default' }],
      // What is never merged is a byte or a character, whose score is not looked at.
      ['tokenizer.ggml.scores', { kind: 'float32s', value: tokens.map((token) => scores.get(token) ?? -1e9) }],
      ['tokenizer.ggml.add_space_prefix', { kind: 'boolean', value: prefix !== 'never' }],
    ],
  };
}

/** Where a space is put: before every stretch of text between special tokens, before the first one, or nowhere. */
function spacePrefix(
  normalizer: NormalizerSpec | null | undefined,
  cut: TokenizerSpec['pre_tokenizer'],
): 'always' | 'first' | 'never' | undefined {
  if (cut?.type === 'Metaspace') {
    // Where it splits, nothing is merged across a space, and llama.cpp does.
    if (normalizer || cut.replacement !== '▁' || cut.split !== false) return undefined;
    return cut.prepend_scheme ?? (cut.add_prefix_space === false ? 'never' : 'always');
  }
  if (cut || !normalizer) return undefined;
  const steps = normalizer.type === 'Sequence' ? normalizer.normalizers : [normalizer];
  const last = steps.at(-1);
  const replaces =
    last?.type === 'Replace' && 'String' in last.pattern && last.pattern.String === ' ' && last.content === '▁';
  if (!replaces) return undefined;
  const [first] = steps;
  if (steps.length === 1) return 'never';
  return steps.length === 2 && first?.type === 'Prepend' && first.prepend === '▁' ? 'always' : undefined;
}

/** Rows of the embedding that no token has get one that no text holds. Added tokens without a row are left out: no text may need them. */
function tokensOf({ added_tokens: added }: TokenizerSpec, model: BytePairSpec, rows: number) {
  const tokens = new Array<string | undefined>(rows).fill(undefined);
  const types = new Array<number>(rows).fill(TOKEN.unused);
  for (const [token, id] of Object.entries(model.vocab)) {
    const isByte = model.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token);
    const isUnknown = model.byte_fallback && token === model.unk_token;
    [tokens[id], types[id]] = [token, isByte ? TOKEN.byte : isUnknown ? TOKEN.unknown : TOKEN.normal];
  }
  for (const { content, id, special } of added) {
    if (id >= rows || types[id] === TOKEN.unknown) continue;
    [tokens[id], types[id]] = [content, special ? TOKEN.control : TOKEN.userDefined];
  }
  const taken = new Set(tokens);
  const unused = (id: number): string => {
    let name = `[unused ${id}]`;
    while (taken.has(name)) name += '_';
    return name;
  };
  return { tokens: tokens.map((token, id) => token ?? unused(id)), types };
}

/** What is put around a text is what the ids are, whatever config.json says. */
function idEntries({ around, ids }: VocabularyOptions): readonly Entry[] {
  const entry = (name: string, id: number | undefined): readonly Entry[] =>
    id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, { kind: 'uint32', value: id }]];
  return [
    ...entry('bos', around.before[0] ?? ids.bos),
    ...entry('eos', around.after[0] ?? ids.eos),
    ...entry('padding', ids.padding),
  ];
}
