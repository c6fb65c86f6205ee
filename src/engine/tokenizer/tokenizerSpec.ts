import * as z from 'zod';
import { parseJson } from '../checkpoint/jsonFile.ts';
import { schemaProblem } from '../../base/schemaProblem.ts';
import { EspalierError } from '../../base/errors.ts';

/**
 * The parts of tokenizer.json that decide token ids, checked. Only kinds that are reproduced to the byte are let in: any
 * other is an error that names it, since a slightly different tokenizer gives slightly wrong numbers.
 */
export type TokenizerSpec = z.infer<typeof SPEC>;
export type NormalizerSpec = z.infer<typeof NORMALIZER>;
export type PreTokenizerSpec = z.infer<typeof PRE_TOKENIZER>;
export type PostProcessorSpec = z.infer<typeof POST_PROCESSOR>;
export type PatternSpec = z.infer<typeof PATTERN>;
export type BytePairSpec = TokenizerSpec['model'];

const PATTERN = z.union([z.strictObject({ String: z.string().min(1) }), z.strictObject({ Regex: z.string().min(1) })]);

const PLAIN_NORMALIZERS = [
  z.looseObject({ type: z.literal('NFC') }),
  z.looseObject({ type: z.literal('NFD') }),
  z.looseObject({ type: z.literal('Prepend'), prepend: z.string() }),
  z.looseObject({ type: z.literal('Replace'), pattern: PATTERN, content: z.string() }),
] as const;
const NORMALIZER = z.discriminatedUnion('type', [
  ...PLAIN_NORMALIZERS,
  z.looseObject({
    type: z.literal('Sequence'),
    normalizers: z.array(z.discriminatedUnion('type', PLAIN_NORMALIZERS)),
  }),
]);

const BEHAVIOR = z.enum(['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);

const PLAIN_PRE_TOKENIZERS = [
  z.looseObject({
    type: z.literal('ByteLevel'),
    add_prefix_space: z.boolean(),
    use_regex: z.boolean().default(true),
  }),
  z.looseObject({ type: z.literal('Split'), pattern: PATTERN, behavior: BEHAVIOR, invert: z.boolean() }),
  z.looseObject({ type: z.literal('Digits'), individual_digits: z.boolean().default(false) }),
  z.looseObject({
    type: z.literal('Metaspace'),
    replacement: z.string().regex(/^.$/su, 'one character'),
    // Files of before 2024 say only whether there is a prefix.
    add_prefix_space: z.boolean().nullish(),
    prepend_scheme: z.enum(['always', 'first', 'never']).nullish(),
    split: z.boolean().nullish(),
  }),
] as const;
const PRE_TOKENIZER = z.discriminatedUnion('type', [
  ...PLAIN_PRE_TOKENIZERS,
  z.looseObject({
    type: z.literal('Sequence'),
    pretokenizers: z.array(z.discriminatedUnion('type', PLAIN_PRE_TOKENIZERS)),
  }),
]);

const TOKEN_ID = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const NAMED_TOKEN = z.tuple([z.string(), TOKEN_ID]);
const PIECE = z.union([
  z.strictObject({ Sequence: z.looseObject({ id: z.enum(['A', 'B']) }) }),
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string() }) }),
]);
const PLAIN_POST_PROCESSORS = [
  z.looseObject({ type: z.literal('ByteLevel') }),
  z.looseObject({
    type: z.literal('TemplateProcessing'),
    single: z.array(PIECE),
    special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(TOKEN_ID) })),
  }),
  z.looseObject({ type: z.literal('RobertaProcessing'), sep: NAMED_TOKEN, cls: NAMED_TOKEN }),
  z.looseObject({ type: z.literal('BertProcessing'), sep: NAMED_TOKEN, cls: NAMED_TOKEN }),
] as const;
const POST_PROCESSOR = z.discriminatedUnion('type', [
  ...PLAIN_POST_PROCESSORS,
  z.looseObject({
    type: z.literal('Sequence'),
    processors: z.array(z.discriminatedUnion('type', PLAIN_POST_PROCESSORS)),
  }),
]);

const FLAG = z.boolean().default(false);
const ABSENT_OR_EMPTY = z.literal('').nullish();

const SPEC = z.strictObject({
  version: z.literal('1.0').optional(),
  // Hugging Face switches these two off for every text that it encodes; the decoder goes the other way.
  truncation: z.unknown(),
  padding: z.unknown(),
  decoder: z.unknown(),
  added_tokens: z
    .array(
      z.looseObject({
        id: TOKEN_ID,
        content: z.string().min(1),
        single_word: FLAG,
        lstrip: FLAG,
        rstrip: FLAG,
        normalized: z.boolean(),
        special: FLAG,
      }),
    )
    .default([]),
  normalizer: NORMALIZER.nullish(),
  pre_tokenizer: PRE_TOKENIZER.nullish(),
  post_processor: POST_PROCESSOR.nullish(),
  model: z.looseObject({
    type: z.literal('BPE').optional(),
    // Dropout is random: it is for training.
    dropout: z.literal(0).nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: ABSENT_OR_EMPTY,
    end_of_word_suffix: ABSENT_OR_EMPTY,
    fuse_unk: FLAG,
    byte_fallback: FLAG,
    ignore_merges: FLAG,
    // These two are large: they are checked by hand where they are read.
    vocab: z.custom<Readonly<Record<string, number>>>(isObject, 'an object'),
    merges: z.custom<readonly unknown[]>(Array.isArray, 'a list'),
  }),
});

/** Checks the bytes of a tokenizer.json. @throws EspalierError `checkpoint/tokenizer` */
export function parseTokenizerSpec(bytes: Uint8Array, file: string): TokenizerSpec {
  const value = parseJson(bytes, file, 'checkpoint/tokenizer');
  const parsed = SPEC.safeParse(value);
  if (parsed.success) return parsed.data;
  const { where, expected, actual } = schemaProblem(parsed.error, value);
  throw tokenizerError(file, `${where || 'the file'} to be ${expected}`, actual, UNKNOWN);
}

const UNKNOWN =
  'Only tokenizers that are reproduced to the byte can be used: choose a checkpoint with another one, or restore its tokenizer.json if it was changed.';

export function tokenizerError(
  file: string,
  expected: string,
  actual: string,
  remedy = 'Restore the tokenizer.json of the checkpoint. Only byte-pair tokenizers of its family can be used.',
): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tokenizer',
    operation: `reading ${file}`,
    expected,
    actual,
    remedy,
    file,
  });
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
