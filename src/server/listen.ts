import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { EspalierError } from '../base/errors.ts';

/** Where a server listens. */
export interface Listening {
  /** Name or address. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** So that whoever opens a large model first is not told after it that the port is taken. @throws EspalierError `serve/address` */
export async function requireFree(listening: Listening): Promise<void> {
  const server = createServer();
  await listen(server, listening);
  server.close();
  await once(server, 'close');
}

/**
 * @throws EspalierError `serve/address`
 */
export function listen(server: Server, { host, port }: Listening): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(addressError(host, port, error));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      // What goes wrong later is a matter of one connection.
      server.on('error', () => undefined);
      resolve(server.address() as AddressInfo);
    });
  });
}

function addressError(host: string, port: number, error: NodeJS.ErrnoException): EspalierError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'one that another program listens on',
    EACCES: 'one that needs more rights',
    EADDRNOTAVAIL: 'an address of another machine',
  };
  return new EspalierError(
    {
      code: 'serve/address',
      operation: `listening on ${host}, port ${port}`,
      expected: 'an address of this machine and a free port',
      actual: reasons[error.code ?? ''] ?? error.message,
      remedy: 'Choose another --port (0 takes any that is free), or another --host.',
    },
    { cause: error },
  );
}
