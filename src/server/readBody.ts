import type { IncomingMessage } from 'node:http';
import { parseBoundedJson } from '../base/boundedJson.ts';
import { reasonOf } from '../files/fileProblem.ts';
import { RequestError } from './apiError.ts';

/** Bytes of one body: a thousand prompts of a thousand ids. */
const MAX_BODY = 1 << 23;
/** Bytes of all bodies that are being read at once. */
const MAX_BODIES = 1 << 26;

/** Reads bodies of JSON, each bounded and all together. */
export class BodyReader {
  private held = 0;

  /** @throws RequestError `serve/media-type`, `serve/too-large`, `serve/busy`, `serve/request` */
  async read(request: IncomingMessage): Promise<unknown> {
    requireJson(request.headers);
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > MAX_BODY) throw tooLarge(announced);
    const parts: Buffer[] = [];
    let length = 0;
    try {
      // Not destroyed by what is thrown here: the client shall read why.
      for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        length += part.length;
        this.held += part.length;
        if (length > MAX_BODY) throw tooLarge(length);
        if (this.held > MAX_BODIES) throw tooMany();
        parts.push(part);
      }
      return parse(Buffer.concat(parts));
    } finally {
      this.held -= length;
    }
  }
}

/** A page of a browser cannot send JSON elsewhere without being asked whether it may. */
function requireJson(headers: IncomingMessage['headers']): void {
  const type = headers['content-type'] ?? 'none';
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw unfit(
      'Content-Type: application/json',
      type,
      'Send the header `Content-Type: application/json` (curl: -H "Content-Type: application/json").',
    );
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw unfit('a body as it is', `Content-Encoding: ${encoding}`, 'Send it uncompressed.');
}

function parse(bytes: Buffer): unknown {
  try {
    return parseBoundedJson(UTF8.decode(bytes));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError || thrown instanceof TypeError)) throw thrown;
    throw new RequestError('a body of JSON in UTF-8', reasonOf(thrown).slice(0, 200), 'Correct the body.', null);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function unfit(expected: string, actual: string, remedy: string): RequestError {
  return new RequestError(expected, actual.slice(0, 100), remedy, null, 'serve/media-type');
}

function tooLarge(bytes: number): RequestError {
  const remedy = 'Ask in several requests.';
  return new RequestError(`a body of at most ${MAX_BODY} bytes`, `${bytes} or more`, remedy, null, 'serve/too-large');
}

function tooMany(): RequestError {
  const expected = `bodies of at most ${MAX_BODIES} bytes at once`;
  return new RequestError(expected, 'more', 'Ask again when others are answered.', null, 'serve/busy');
}
