import { isDeepStrictEqual } from 'node:util';
import { EspalierError } from '../base/errors.ts';

/**
 * A search that goes on must say what it said before.
 *
 * @param what the event's place in the run
 * @param before as the journal has it
 * @throws EspalierError `runs/diverged`
 */
export function checkSame(what: string, before: object, now: object): void {
  // As the journal would give it back: numbers survive that exactly.
  const [said, says] = [JSON.stringify(before), JSON.stringify(now)];
  if (said !== says && !isDeepStrictEqual(JSON.parse(said), JSON.parse(says))) throw divergedError(what, said, says);
}

export function divergedError(what: string, expected: string, actual: string): EspalierError {
  const shorten = (text: string): string => (text.length > 500 ? `${text.slice(0, 500)}…` : text);
  return new EspalierError({
    code: 'runs/diverged',
    operation: `going on with a run, at ${what}`,
    expected: `${shorten(expected)}, as its journal has it`,
    actual: shorten(actual),
    remedy: 'The run was begun by a version that searches otherwise: finish it with that version, or start a new run.',
  });
}
