import * as z from 'zod';
import { MAX_STOPS } from '../experiment/generationSchema.ts';

/** Most choices of one request: prompts × n. */
export const MAX_CHOICES = 1024;
/** Most probable tokens beside each; OpenAI has 5, vLLM 20. */
const MAX_LOGPROBS = 20;
const MAX_STOP = 1024;

/** A field of another server that changes what comes back: taken where it says what is done here anyway. */
const only = (said: string, ...values: readonly z.core.util.Literal[]) =>
  z
    .custom<unknown>(
      (value) => value === null || values.includes(value as z.core.util.Literal),
      `expected ${said}: nothing else is done here`,
    )
    .optional();

const empty = (said: string) =>
  z
    .custom<unknown>(
      (value) => typeof value === 'object' && Object.keys(value ?? {}).length === 0,
      `expected ${said}: nothing else is done here`,
    )
    .optional();

const stopText = z.string().min(1).max(MAX_STOP);

/**
 * The body of `POST /v1/completions`. Null is as if it were not there. What is not known is refused: a client that asks for something must
 * not believe that it got it.
 *
 * @see https://platform.openai.com/docs/api-reference/completions/create
 */
export const completionSchema = z.strictObject({
  model: z.string().max(4096).nullish(),
  /** Checked where it is read: it may have millions of ids. */
  prompt: z.unknown(),
  echo: z.boolean().nullish(),
  /** False, as chats say that there are to be none, means the same here; what true asks for is not known. */
  logprobs: z
    .custom<number | false | null>(
      (value) =>
        value === null ||
        value === false ||
        (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_LOGPROBS),
      `expected a whole number from 0 to ${MAX_LOGPROBS}: so many of the most probable tokens are told beside each (0: none but its own)`,
    )
    .optional(),
  max_tokens: z
    .int()
    .min(0)
    .max(2 ** 24)
    .nullish(),
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  temperature: z.number().min(0).max(100).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.literal(''), stopText, z.array(stopText).max(MAX_STOPS)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().nullish() }).nullish(),
  user: z.string().max(4096).nullish(),
  /** Of vLLM: whether text prompts get the special tokens around them that the tokenizer adds. */
  add_special_tokens: z.boolean().nullish(),
  /** Of vLLM: tokens are called `token_id:17`. */
  return_tokens_as_token_ids: z.boolean().nullish(),
  best_of: z.int().min(1).max(MAX_CHOICES).nullish(),
  suffix: only('no suffix', ''),
  frequency_penalty: only('0', 0),
  presence_penalty: only('0', 0),
  repetition_penalty: only('1', 1),
  length_penalty: only('1', 1),
  top_k: only('none (-1 or 0)', -1, 0),
  min_p: only('0', 0),
  min_tokens: only('0', 0),
  ignore_eos: only('false', false),
  use_beam_search: only('false', false),
  skip_special_tokens: only('true', true),
  include_stop_str_in_output: only('false', false),
  prompt_logprobs: only('none: ask with echo and logprobs', false),
  logit_bias: empty('no bias'),
  stop_token_ids: empty('none'),
});

export type CompletionBody = z.infer<typeof completionSchema>;
