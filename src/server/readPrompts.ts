import { MAX_CHOICES } from './completionSchema.ts';
import { RequestError } from './apiError.ts';
import type { Served } from './served.ts';

/** What is to be continued, or scored. */
export interface Prompt {
  /** At least one. */
  readonly ids: Int32Array;
  /** As it was written; of token ids what they say, special ones included. */
  readonly text: string;
}

/**
 * The prompts of a request: a text, token ids, or a list of either. Token ids are taken as they are: no token is put before them.
 *
 * @param special whether texts get the tokens around them that the tokenizer adds
 * @throws RequestError `serve/request`, `serve/too-large`; EspalierError `checkpoint/tokenizer`, `cancelled`
 */
export async function readPrompts(
  value: unknown,
  served: Served,
  special: boolean,
  signal: AbortSignal,
): Promise<readonly Prompt[]> {
  if (typeof value === 'string') return [await ofText(value, 'prompt', served, special, signal)];
  if (!Array.isArray(value)) throw wrong(FORMS, kindOf(value), 'prompt');
  if (typeof value[0] === 'number') return [ofIds(value, 'prompt', served)];
  if (value.length === 0) throw wrong(FORMS, 'an empty list', 'prompt');
  if (value.length > MAX_CHOICES) {
    throw new RequestError(
      `at most ${MAX_CHOICES} prompts`,
      `${value.length}`,
      'Ask in several requests.',
      'prompt',
      'serve/too-large',
    );
  }
  const prompts: Prompt[] = [];
  for (const [index, one] of value.entries()) {
    const where = `prompt.${index}`;
    if (typeof one !== typeof value[0]) throw wrong('texts alone, or lists of token ids alone', 'both', where);
    if (typeof one === 'string') prompts.push(await ofText(one, where, served, special, signal));
    else if (Array.isArray(one)) prompts.push(ofIds(one, where, served));
    else throw wrong('a text or a list of token ids', kindOf(one), where);
  }
  return prompts;
}

const FORMS = 'a text, a list of token ids, or a list of either';

async function ofText(
  text: string,
  where: string,
  served: Served,
  special: boolean,
  signal: AbortSignal,
): Promise<Prompt> {
  // No tokenizer makes fewer tokens than that of so many characters: a text that cannot fit is not tokenised for long.
  if (text.length > (served.length + 1) * LONGEST_TOKEN) throw tooLong(`${text.length} characters`, where, served);
  // Python's tokenizers refuse such a text; ours would take another character in its place.
  if (!text.isWellFormed()) throw wrong('Unicode text', 'half of a surrogate pair in it', where);
  const ids = await served.encode(text, special, signal);
  if (ids.length === 0) throw wrong('a prompt of one token at least', 'an empty one', where);
  if (ids.length > served.length + 1) throw tooLong(`${ids.length}`, where, served);
  return { ids, text };
}

/** UTF-16 units; longer tokens are runs of spaces and the like. */
const LONGEST_TOKEN = 256;

function ofIds(list: readonly unknown[], where: string, served: Served): Prompt {
  const { length, vocabulary } = served;
  if (list.length === 0) throw wrong('a prompt of one token at least', 'an empty one', where);
  if (list.length > length + 1) throw tooLong(`${list.length}`, where, served);
  const ids = Int32Array.from(list, (id, index) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabulary) return id;
    const shown = typeof id === 'number' ? String(id) : kindOf(id);
    throw wrong(`token ids from 0 to ${vocabulary - 1}`, shown, `${where}.${index}`);
  });
  return { ids, text: served.decode(ids) };
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'none';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function wrong(expected: string, actual: string, param: string): RequestError {
  return new RequestError(expected, actual, 'Correct the prompt.', param);
}

function tooLong(actual: string, where: string, { length }: Served): RequestError {
  return new RequestError(
    `at most ${length + 1} tokens (the model has ${length} places, and the last token is only predicted)`,
    actual,
    'Cut the prompt from the left.',
    where,
  );
}
