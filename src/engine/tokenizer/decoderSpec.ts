import * as z from 'zod';
import { PATTERN } from './patternSpec.ts';
import { METASPACE } from './preTokenizerSpec.ts';

/** The decoder of tokenizer.json: what makes a text of tokens. */
export type DecoderSpec = PlainDecoderSpec | { readonly type: 'Sequence'; readonly decoders: readonly DecoderSpec[] };
export type PlainDecoderSpec = z.infer<(typeof PLAIN)[number]>;

const PLAIN = [
  z.looseObject({ type: z.literal('ByteLevel') }),
  z.looseObject({ type: z.literal('ByteFallback') }),
  z.looseObject({ type: z.literal('Fuse') }),
  z.looseObject({ type: z.literal('WordPiece'), prefix: z.string().default('##'), cleanup: z.boolean().default(true) }),
  z.looseObject({ type: z.literal('BPEDecoder'), suffix: z.string().min(1).default('</w>') }),
  z.looseObject({
    type: z.literal('Strip'),
    content: z.string().regex(/^.$/su, 'one character'),
    start: z.int().min(0).default(0),
    stop: z.int().min(0).default(0),
  }),
  z.looseObject({ type: z.literal('Replace'), pattern: PATTERN, content: z.string() }),
  METASPACE,
] as const;

export const DECODER: z.ZodType<DecoderSpec> = z.lazy(() =>
  z.discriminatedUnion('type', [...PLAIN, z.looseObject({ type: z.literal('Sequence'), decoders: z.array(DECODER) })]),
);
