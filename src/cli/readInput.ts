import type { ReadStream } from 'node:tty';
import { EspalierError } from '../base/errors.ts';
import { orCancelled } from '../base/orCancelled.ts';

/** Bytes; more than any model reads. */
const MOST = 2 ** 24;

/**
 * All that comes on standard input, as UTF-8.
 *
 * @returns undefined for a terminal: nobody is asked to type it
 * @throws EspalierError `io/read` for more than 16 MB, `cancelled`
 */
export async function readInput(
  input: Pick<ReadStream, 'isTTY' | typeof Symbol.asyncIterator>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (input.isTTY) return undefined;
  const read = async (): Promise<string> => {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of input as AsyncIterable<Buffer | string>) {
      const buffer = Buffer.from(part);
      bytes += buffer.length;
      if (bytes > MOST) throw tooMuch();
      parts.push(buffer);
    }
    return Buffer.concat(parts).toString('utf8');
  };
  return orCancelled(read(), signal, 'reading standard input');
}

function tooMuch(): EspalierError {
  return new EspalierError({
    code: 'io/read',
    operation: 'reading standard input',
    expected: `at most ${MOST / 2 ** 20} MB`,
    actual: 'more',
    remedy: 'Shorten what is piped in.',
  });
}
