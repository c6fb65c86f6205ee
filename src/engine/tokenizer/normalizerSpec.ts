import * as z from 'zod';
import { PATTERN } from './patternSpec.ts';

/** The normaliser of tokenizer.json. */
export type NormalizerSpec =
  PlainNormalizerSpec | { readonly type: 'Sequence'; readonly normalizers: readonly NormalizerSpec[] };
export type PlainNormalizerSpec = z.infer<(typeof PLAIN)[number]>;

const PLAIN = [
  z.looseObject({ type: z.literal('NFC') }),
  z.looseObject({ type: z.literal('NFD') }),
  z.looseObject({ type: z.literal('NFKC') }),
  z.looseObject({ type: z.literal('NFKD') }),
  z.looseObject({ type: z.literal('Lowercase') }),
  z.looseObject({ type: z.literal('StripAccents') }),
  z.looseObject({ type: z.literal('Nmt') }),
  z.looseObject({ type: z.literal('ByteLevel') }),
  z.looseObject({ type: z.literal('Strip'), strip_left: z.boolean(), strip_right: z.boolean() }),
  z.looseObject({
    type: z.literal('BertNormalizer'),
    clean_text: z.boolean(),
    handle_chinese_chars: z.boolean(),
    // Absent: as `lowercase`.
    strip_accents: z.boolean().nullish(),
    lowercase: z.boolean(),
  }),
  z.looseObject({ type: z.literal('Precompiled'), precompiled_charsmap: z.string() }),
  z.looseObject({ type: z.literal('Prepend'), prepend: z.string().min(1) }),
  z.looseObject({ type: z.literal('Replace'), pattern: PATTERN, content: z.string() }),
] as const;

export const NORMALIZER: z.ZodType<NormalizerSpec> = z.lazy(() =>
  z.discriminatedUnion('type', [
    ...PLAIN,
    z.looseObject({ type: z.literal('Sequence'), normalizers: z.array(NORMALIZER) }),
  ]),
);
