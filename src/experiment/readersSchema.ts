import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { textSchema } from '../base/scalarSchemas.ts';
import { EXPORT_FORMATS } from './exportFormats.ts';
import { ROUND_TARGETS } from './roundTargets.ts';

/** Programs that read what is exported. */
export const READERS = ['Espalier', 'transformers', 'vLLM', 'llama.cpp', 'onnxruntime', 'transformers.js'] as const;
export type Reader = (typeof READERS)[number];

/**
 * Whether a reader loads a pruned model: as it is; with a file that lies beside the weights (or a layout that is asked for); only after its sizes were
 * rounded; not at all.
 */
export const READABLE = ['loads', 'loads-with', 'after-rounding', 'refuses'] as const;
export type Readable = (typeof READABLE)[number];

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

/** Who can read a pruned model, by reader; said before it is written from what is known of its sizes. */
export type ReadersReport = Immutable<z.infer<typeof readersReportSchema>>;

export const readersReportSchema = z.strictObject({
  verdicts: z.array(readerVerdictSchema).max(READERS.length * EXPORT_FORMATS.length),
  /** Whether the sizes are what will be written; else they come of scores that are not there yet, and are taken as of rates that differ a little. */
  exact: z.boolean(),
});
