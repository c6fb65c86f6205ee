import * as z from 'zod';
import { BEHAVIOR, PATTERN } from './patternSpec.ts';

/** The pre-tokenizer of tokenizer.json: what cuts a text into words. */
export type PreTokenizerSpec =
  PlainPreTokenizerSpec | { readonly type: 'Sequence'; readonly pretokenizers: readonly PreTokenizerSpec[] };
export type PlainPreTokenizerSpec = z.infer<(typeof PLAIN)[number]>;
export type MetaspaceSpec = Extract<PlainPreTokenizerSpec, { type: 'Metaspace' }>;

const CHARACTER = z.string().regex(/^.$/su, 'one character');

export const METASPACE = z
  .looseObject({
    type: z.literal('Metaspace'),
    replacement: CHARACTER,
    // Files of before 2024 say only whether there is a prefix.
    add_prefix_space: z.boolean().nullish(),
    prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
    split: z.boolean().nullish(),
  })
  .refine(({ add_prefix_space, prepend_scheme }) => {
    return add_prefix_space !== false || prepend_scheme === undefined || prepend_scheme === 'never';
  }, 'a prepend_scheme that agrees with add_prefix_space');

const PLAIN = [
  z.looseObject({ type: z.literal('Whitespace') }),
  z.looseObject({ type: z.literal('WhitespaceSplit') }),
  z.looseObject({ type: z.literal('BertPreTokenizer') }),
  z.looseObject({ type: z.literal('UnicodeScripts') }),
  z.looseObject({ type: z.literal('Punctuation'), behavior: BEHAVIOR.default('Isolated') }),
  z.looseObject({ type: z.literal('Digits'), individual_digits: z.boolean() }),
  z.looseObject({ type: z.literal('CharDelimiterSplit'), delimiter: CHARACTER }),
  z.looseObject({ type: z.literal('FixedLength'), length: z.int().min(1).default(5) }),
  z.looseObject({ type: z.literal('Split'), pattern: PATTERN, behavior: BEHAVIOR, invert: z.boolean() }),
  z.looseObject({
    type: z.literal('ByteLevel'),
    add_prefix_space: z.boolean(),
    use_regex: z.boolean().default(true),
  }),
  METASPACE,
] as const;

export const PRE_TOKENIZER: z.ZodType<PreTokenizerSpec> = z.lazy(() =>
  z.discriminatedUnion('type', [
    ...PLAIN,
    z.looseObject({ type: z.literal('Sequence'), pretokenizers: z.array(PRE_TOKENIZER) }),
  ]),
);
