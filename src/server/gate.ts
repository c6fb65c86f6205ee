import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { RequestError } from './apiError.ts';

export interface Gate {
  /** What a client must show, in `Authorization: Bearer …`; without one anybody who gets here may ask. */
  readonly token?: string | undefined;
  /** What the server was told to listen on: a name there is a name that it may be called by. */
  readonly host: string;
}

/**
 * Lets a request in, or throws. Browsers are kept out: a page of somewhere else may send requests to this machine, under its own name where
 * that name's address was changed since (DNS rebinding), and would otherwise read the answers, or have the machine work.
 *
 * @throws RequestError `serve/origin`, `serve/token`
 */
export function passGate({ headers }: Pick<IncomingMessage, 'headers'>, { token, host }: Gate): void {
  const names = new Set(['localhost', host.toLowerCase()]);
  const asked = hostName(headers.host);
  if (asked === undefined || !(isIP(asked) > 0 || names.has(asked))) {
    throw refused('a Host header with an address, localhost, or the name that --host says', headers.host);
  }
  const { origin } = headers;
  if (origin !== undefined) throw refused('no page of a browser to ask (no Origin header)', origin);
  if (token !== undefined && !isToken(headers.authorization, token)) {
    throw new RequestError(
      'the header `Authorization: Bearer TOKEN` with the token that the server was started with',
      headers.authorization === undefined ? 'none' : 'another one',
      'Give the token as the client’s API key.',
      null,
      'serve/token',
    );
  }
}

/** The name or address in a Host header, without port and brackets. */
function hostName(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

function isToken(header: string | undefined, token: string): boolean {
  const given = /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
  // Hashes are equally long, and tell nothing of where two differ.
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(hash(given), hash(token));
}

function refused(expected: string, actual: string | undefined): RequestError {
  const shown = actual === undefined ? 'none' : actual.slice(0, 100);
  return new RequestError(expected, shown, 'Ask by http://127.0.0.1, from a program.', null, 'serve/origin');
}
