import { randomInt } from 'node:crypto';
import { schemaProblem } from '../base/schemaProblem.ts';
import { RequestError } from './apiError.ts';
import { completionSchema, MAX_CHOICES } from './completionSchema.ts';
import type { CompletionBody } from './completionSchema.ts';
import { readPrompts } from './readPrompts.ts';
import type { Prompt } from './readPrompts.ts';
import type { Sampling, Served } from './served.ts';

/** What a client asks for, with everything said. */
export interface CompletionRequest {
  readonly prompts: readonly Prompt[];
  /** Answers to each prompt. */
  readonly n: number;
  /** Tokens to generate, at most. */
  readonly most: number;
  readonly echo: boolean;
  /** How many most probable tokens are told beside each; undefined: nothing of log-probabilities. */
  readonly logprobs: number | undefined;
  readonly stops: readonly string[];
  readonly sampling: Sampling;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Whether tokens are called by their ids. */
  readonly tokensAsIds: boolean;
}

/** OpenAI's, where a request does not say it. */
const DEFAULT_MOST = 16;
const DEFAULT_TEMPERATURE = 1;
/** Scores and their tokens that one answer may have: about a hundred bytes each. */
const MAX_ENTRIES = 2_000_000;

/**
 * Reads the body of a request for completions.
 *
 * @param isSpecial whether text prompts get the tokens around them that the tokenizer adds, where the request does not say it
 * @throws RequestError `serve/request`, `serve/not-found` for another model, `serve/too-large`
 */
export async function readCompletion(
  value: unknown,
  served: Served,
  isSpecial: boolean,
  signal: AbortSignal,
): Promise<CompletionRequest> {
  const body = checked(value);
  requireModel(body.model, served);
  const { n, best_of: bestOf, stream, stream_options: streamOptions, seed } = body;
  const count = n ?? 1;
  const temperature = body.temperature ?? DEFAULT_TEMPERATURE;
  if (bestOf != null && bestOf !== count) {
    throw new RequestError(
      'best_of like n, or none',
      `${bestOf} with n ${count}`,
      'Ask with n, and choose yourself.',
      'best_of',
    );
  }
  if (streamOptions && stream !== true) {
    throw new RequestError(
      'stream_options with stream',
      'them alone',
      'Leave them out, or set stream.',
      'stream_options',
    );
  }
  const prompts = await readPrompts(body.prompt, served, body.add_special_tokens ?? isSpecial, signal);
  if (prompts.length * count > MAX_CHOICES) {
    throw tooMuch(`at most ${MAX_CHOICES} choices, prompts times n`, `${prompts.length * count}`, 'n');
  }
  const most = mostOf(body.max_tokens ?? undefined, temperature === 0, prompts, served);
  const logprobs = typeof body.logprobs === 'number' ? body.logprobs : undefined;
  const echo = body.echo ?? false;
  const tokens = count * prompts.reduce((sum, { ids }) => sum + most + (echo ? ids.length : 0), 0);
  if (tokens * (1 + (logprobs ?? 0)) > MAX_ENTRIES) {
    throw tooMuch(
      `an answer of at most ${MAX_ENTRIES} tokens, most probable ones included`,
      `up to ${tokens * (1 + (logprobs ?? 0))}`,
      'prompt',
    );
  }
  return {
    prompts,
    n: count,
    most,
    echo,
    logprobs,
    stops: stopsOf(body.stop),
    sampling: {
      temperature,
      topP: body.top_p ?? 1,
      seed: seed == null ? randomInt(2 ** 47) : Math.abs(seed),
    },
    stream: stream ?? false,
    includeUsage: streamOptions?.include_usage ?? false,
    tokensAsIds: body.return_tokens_as_token_ids ?? false,
  };
}

function checked(value: unknown): CompletionBody {
  const parsed = completionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { where, expected, actual } = schemaProblem(parsed.error, value);
  throw new RequestError(
    expected,
    actual,
    `Correct ${where || 'the body'}, or leave out what is not known here.`,
    where || null,
  );
}

/** One server, one model: a client that means another would measure the wrong one. */
function requireModel(model: string | null | undefined, { names }: Served): void {
  if (model == null || names.includes(model)) return;
  const shown = model.length > 100 ? `${model.slice(0, 100)}…` : model;
  throw new RequestError(
    names.join(' or '),
    shown,
    'Ask for the model that is served, or leave it out.',
    'model',
    'serve/not-found',
  );
}

/** What is not said is as much as fits; what is said has to fit, as a shorter answer would look like a whole one. */
function mostOf(said: number | undefined, isGreedy: boolean, prompts: readonly Prompt[], { length }: Served): number {
  const longest = Math.max(...prompts.map(({ ids }) => ids.length));
  // A last token is only predicted, never fed: one of a prompt that nothing follows, or the most probable one behind a prompt.
  const room = said === 0 || (said === 1 && isGreedy) ? length + 1 : length;
  const most = said ?? Math.max(0, Math.min(DEFAULT_MOST, length - longest));
  if (longest + most <= room || (said === undefined && longest <= length + 1)) return most;
  throw new RequestError(
    `a prompt and max_tokens of at most ${room} tokens together`,
    `${longest} and ${most}`,
    'Ask for fewer tokens, or cut the prompt from the left.',
    'max_tokens',
  );
}

function stopsOf(stop: CompletionBody['stop']): readonly string[] {
  if (stop == null || stop === '') return [];
  return typeof stop === 'string' ? [stop] : stop;
}

function tooMuch(expected: string, actual: string, param: string): RequestError {
  return new RequestError(expected, actual, 'Ask in several requests.', param, 'serve/too-large');
}
