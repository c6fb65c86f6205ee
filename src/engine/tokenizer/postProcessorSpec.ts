import * as z from 'zod';

/** The post-processor of tokenizer.json: what puts tokens around a text. What it does for pairs of texts is not read. */
export type PostProcessorSpec =
  PlainPostProcessorSpec | { readonly type: 'Sequence'; readonly processors: readonly PostProcessorSpec[] };
type PlainPostProcessorSpec = z.infer<(typeof PLAIN)[number]>;

export const TOKEN_ID = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const NAMED_TOKEN = z.tuple([z.string(), TOKEN_ID]);
const PIECE = z.union([
  z.strictObject({ Sequence: z.looseObject({ id: z.enum(['A', 'B']) }) }),
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string() }) }),
]);
const PLAIN = [
  z.looseObject({ type: z.literal('ByteLevel') }),
  z.looseObject({
    type: z.literal('TemplateProcessing'),
    single: z.array(PIECE),
    special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(TOKEN_ID) })),
  }),
  z.looseObject({ type: z.literal('RobertaProcessing'), sep: NAMED_TOKEN, cls: NAMED_TOKEN }),
  z.looseObject({ type: z.literal('BertProcessing'), sep: NAMED_TOKEN, cls: NAMED_TOKEN }),
] as const;

export const POST_PROCESSOR: z.ZodType<PostProcessorSpec> = z.lazy(() =>
  z.discriminatedUnion('type', [
    ...PLAIN,
    z.looseObject({ type: z.literal('Sequence'), processors: z.array(POST_PROCESSOR) }),
  ]),
);
