import type { Duplex } from 'node:stream';
import { apiError } from './apiError.ts';

/** Answers what is no HTTP, or comes too slowly: there is no request to answer yet, so bytes are written. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const line = LINES[error.code ?? ''] ?? '400 Bad Request';
  const { body } = apiError(
    {
      code: 'serve/request',
      operation: 'reading the request',
      expected: 'a whole HTTP/1.1 request, in time',
      actual: error.code ?? 'something else',
      remedy: 'Ask with an HTTP client.',
    },
    null,
  );
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${line}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${text}`, () => {
    socket.destroy();
  });
}

const LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
