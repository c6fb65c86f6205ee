import { EspalierError } from '../../base/errors.ts';
import type { Beginning } from '../../experiment/tasks.ts';
import type { PairEncoder } from '../../tasks/encodePair.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** An encoder of a model's tokenizer. */
export interface ModelEncoder extends PairEncoder {
  /** See {@link Tokenizer.identity}. */
  readonly identity: string;
}

/**
 * How requests become ids of a model. What the harness calls the prefix token is the one that begins texts, else the one that ends them, as
 * config.json has them.
 *
 * @throws EspalierError `settings/invalid` where a token is to begin every text and the model has none
 */
export function pairEncoder(
  tokenizer: Tokenizer,
  { config, values }: Pick<Checkpoint, 'config' | 'values'>,
  beginning: Beginning,
): ModelEncoder {
  const known = (id: unknown): number | undefined =>
    typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < config.vocabulary ? id : undefined;
  const [first] = tokenizer.around.before;
  const begin = first ?? known(values['bos_token_id']);
  const ends = values['eos_token_id'];
  const ids: Readonly<Record<Beginning, readonly number[]>> = {
    tokenizer: tokenizer.around.before,
    none: [],
    always: begin === undefined ? [] : [begin],
  };
  if (beginning === 'always' && begin === undefined) throw noBeginning();
  const [used] = ids[beginning];
  return {
    identity: tokenizer.identity,
    encode: (text) => tokenizer.encode(text, { special: false }),
    beginning: ids[beginning],
    beginningText: used === undefined ? undefined : tokenizer.tokenOf(used),
    prefix: begin ?? known(Array.isArray(ends) ? ends[0] : ends),
  };
}

function noBeginning(): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'encoding tasks',
    expected: 'a token that begins texts, to stand before every request',
    actual: 'none: neither tokenizer.json nor config.json names one',
    remedy: 'Leave it to the tokenizer, or ask for none.',
  });
}
