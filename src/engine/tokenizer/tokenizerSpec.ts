import * as z from 'zod';
import { parseJson } from '../checkpoint/jsonFile.ts';
import { schemaProblem } from '../../base/schemaProblem.ts';
import { MODEL } from './modelSpec.ts';
import { NORMALIZER } from './normalizerSpec.ts';
import { POST_PROCESSOR, TOKEN_ID } from './postProcessorSpec.ts';
import { PRE_TOKENIZER } from './preTokenizerSpec.ts';
import { tokenizerError } from './tokenizerError.ts';

/**
 * The parts of tokenizer.json that decide token ids, checked. Only kinds that are reproduced to the byte are let in: any
 * other is an error that names it, since a slightly different tokenizer gives slightly wrong numbers.
 */
export type TokenizerSpec = z.infer<typeof SPEC>;

const FLAG = z.boolean().default(false);

const SPEC = z.strictObject({
  version: z.literal('1.0').optional(),
  // Hugging Face switches these two off for every text that it encodes.
  truncation: z.unknown(),
  padding: z.unknown(),
  // Goes the other way, and is read when someone does.
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
  model: MODEL,
});

/** Checks the bytes of a tokenizer.json. @throws EspalierError `checkpoint/tokenizer` */
export function parseTokenizerSpec(bytes: Uint8Array, file: string): TokenizerSpec {
  const value = parseJson(bytes, file, 'checkpoint/tokenizer');
  if (nesting(value) > MAX_NESTING)
    throw tokenizerError(file, `at most ${MAX_NESTING} levels of nesting`, 'more', UNKNOWN);
  const parsed = SPEC.safeParse(value);
  if (parsed.success) return parsed.data;
  const { where, expected, actual } = schemaProblem(parsed.error, value);
  throw tokenizerError(file, `${where || 'the file'} to be ${expected}`, actual, UNKNOWN);
}

/** The Rust library's reader goes no deeper. */
const MAX_NESTING = 128;

/** How deep lists and objects stand in each other, counted as far as it is allowed. */
function nesting(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > MAX_NESTING) return depth;
  let deepest = depth;
  for (const item of Object.values(value))
    if (typeof item === 'object') deepest = Math.max(deepest, nesting(item, depth + 1));
  return deepest;
}

const UNKNOWN =
  'Only tokenizers that are reproduced to the byte can be used: choose a checkpoint with another one, or restore its tokenizer.json if it was changed.';
