import { EspalierError } from '../base/errors.ts';
import type { Beginning } from '../experiment/tasks.ts';
import type { PairEncoder } from './encodePair.ts';

/** What is asked of a tokenizer. */
export interface TextTokenizer {
  encode(text: string, options?: { readonly special?: boolean }): Int32Array;
  /** What it puts before and behind a text by itself. */
  readonly around: { readonly before: readonly number[] };
  /** A token with that id as it is written. */
  tokenOf(id: number): string | undefined;
}

/** `bos_token_id` and `eos_token_id` of a checkpoint, where it has them. */
export interface EndTokens {
  readonly begin?: number | undefined;
  readonly end?: number | undefined;
}

/**
 * Encodes requests as the harness does with a tokenizer: `tokenizer` puts before a text what that puts there by itself (0.4.9.2 and later), `none`
 * nothing (before, and 0.3), `always` the token that begins texts also where the tokenizer leaves it out. What tokenizers put behind a text is left out.
 *
 * @throws EspalierError `checkpoint/tokenizer` for `always` where there is no such token
 */
export function pairEncoderOf(tokenizer: TextTokenizer, { begin, end }: EndTokens, beginning: Beginning): PairEncoder {
  const prefix = begin ?? end;
  const own = tokenizer.around.before;
  const wanted = beginning === 'none' ? [] : own.length > 0 || beginning === 'tokenizer' ? own : [prefix];
  const before = wanted.filter((id) => id !== undefined);
  if (before.length < wanted.length) throw noBeginning();
  const first = prefix ?? before[0];
  return {
    encode: (text) => tokenizer.encode(text, { special: false }),
    beginning: before,
    beginningText: first === undefined ? undefined : tokenizer.tokenOf(first),
    prefix,
  };
}

function noBeginning(): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tokenizer',
    operation: 'encoding the requests of tasks',
    expected: 'a token that begins texts (bos_token_id in config.json), to put it before each',
    actual: 'none',
    remedy: 'Leave the beginning to the tokenizer, or say none.',
  });
}
