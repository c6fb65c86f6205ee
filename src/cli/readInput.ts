import type { ReadStream } from 'node:tty';
import { EspalierError } from '../base/errors.ts';
import { orCancelled } from '../base/orCancelled.ts';

/** Bytes; more than any model reads. */
const MOST = 2 ** 24;

/**
 * All that comes on standard input, as UTF-8.
 *
 * @returns undefined for a terminal: nobody is asked to type it
 * @throws EspalierError `io/read` for more than 16 MB, `corpus/encoding` for what is no UTF-8, `cancelled`
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
    return decoded(Buffer.concat(parts));
  };
  return orCancelled(read(), signal, 'reading standard input');
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new EspalierError({
      code: 'corpus/encoding',
      operation: 'reading standard input',
      expected: 'UTF-8 text',
      actual: 'bytes that are none',
      remedy: 'Pipe it in as UTF-8: in Latin-1 or UTF-16 it would be another text.',
    });
  }
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
