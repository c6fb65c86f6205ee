import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { textSchema } from '../base/scalarSchemas.ts';
import { EXPORT_FORMATS } from './exportFormats.ts';

/** Programs that read what is exported. */
export const READERS = [
  'Espalier',
  'transformers',
  'vLLM',
  'TensorRT-LLM',
  'llama.cpp',
  'onnxruntime',
  'transformers.js',
] as const;
export type Reader = (typeof READERS)[number];

/**
 * Whether a reader loads a pruned model: as it is; with a file that lies beside the weights (or a layout that is asked for); only after its sizes were
 * rounded; not at all.
 */
export const READABLE = ['loads', 'loads-with', 'after-rounding', 'refuses'] as const;
export type Readable = (typeof READABLE)[number];

/** What sizes can be rounded for: what a reader, or a type of weights, accepts of heads and channels (`rounding.ts`). */
export const ROUND_TARGETS = ['transformers', 'vllm', 'llama.cpp', 'q8_0', 'k-quants', 'tensor-cores'] as const;
export type RoundTarget = (typeof ROUND_TARGETS)[number];

/** What the rules of one format say of one model: all but the reader's name. */
export type FormatVerdict = Immutable<z.infer<typeof formatVerdictSchema>>;

const formatVerdictSchema = z.strictObject({
  verdict: z.enum(READABLE),
  /** A clause without a full stop: "its blocks are alike", "block 1 has no heads". */
  why: textSchema,
  /** `loads-with`: what has to be beside the weights, or be said: "--trust-remote-code". */
  with: textSchema.exactOptional(),
  /** `after-rounding`: what {@link ROUND_TARGETS} makes it load. */
  roundFor: z.enum(ROUND_TARGETS).exactOptional(),
});

/** Whether one reader loads a pruned model that is written in a format. */
export type ReaderVerdict = Immutable<z.infer<typeof readerVerdictSchema>>;

export const readerVerdictSchema = formatVerdictSchema.extend({
  reader: z.enum(READERS),
  format: z.enum(EXPORT_FORMATS),
});

export const readerVerdictsSchema = z.array(readerVerdictSchema).max(READERS.length * EXPORT_FORMATS.length);
