import * as z from 'zod';

/** The model of tokenizer.json: what turns words into ids. Vocabularies are large: they are checked where they are read. */
export type ModelSpec = z.infer<typeof MODEL>;
export type BytePairSpec = Extract<ModelSpec, { type: 'BPE' }>;
export type WordPieceSpec = Extract<ModelSpec, { type: 'WordPiece' }>;
export type WordLevelSpec = Extract<ModelSpec, { type: 'WordLevel' }>;
export type UnigramSpec = Extract<ModelSpec, { type: 'Unigram' }>;

const FLAG = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const VOCABULARY = z.custom<Readonly<Record<string, number>>>(isObject, 'an object');
const LIST = z.custom<readonly unknown[]>(Array.isArray, 'a list');

const KINDS = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('BPE'),
    // Dropout is random: it is for training.
    dropout: z.literal(0).nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    fuse_unk: FLAG,
    byte_fallback: FLAG,
    ignore_merges: FLAG,
    vocab: VOCABULARY,
    merges: LIST,
  }),
  z.looseObject({
    type: z.literal('WordPiece'),
    unk_token: z.string(),
    continuing_subword_prefix: z.string(),
    max_input_chars_per_word: z.int().min(0),
    vocab: VOCABULARY,
  }),
  z.looseObject({ type: z.literal('WordLevel'), unk_token: z.string(), vocab: VOCABULARY }),
  z.looseObject({
    type: z.literal('Unigram'),
    unk_id: z.int().min(0).nullish(),
    byte_fallback: z.boolean().default(false),
    vocab: LIST,
  }),
]);

/** Files of before 2020 do not say which kind it is: each has something that no other has. */
export const MODEL = z.preprocess((model) => {
  if (!isObject(model) || 'type' in model) return model;
  if ('merges' in model) return { type: 'BPE', ...model };
  if ('max_input_chars_per_word' in model) return { type: 'WordPiece', ...model };
  return { type: 'vocab' in model && Array.isArray(model.vocab) ? 'Unigram' : 'WordLevel', ...model };
}, KINDS);

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
