import { cancelledError, EspalierError } from '../base/errors.ts';
import { redactMessage } from '../base/redact.ts';
import { QUEUE_PASSWORD_VARIABLE, QUEUE_VARIABLE } from '../base/secretVariables.ts';
import type { QueueAddress } from './queueAddress.ts';
import { troubleOf } from './serverTrouble.ts';

/** Why a server cannot be used from the beginning. */
export function connectError(address: QueueAddress, thrown: unknown): EspalierError {
  const said = redactMessage(thrown instanceof Error ? thrown.message : String(thrown), address.password);
  const lost = troubleOf(thrown) === 'gone';
  return new EspalierError(
    {
      code: lost ? 'queue/unreachable' : 'queue/refused',
      operation: `connecting to the queue ${address.shown}`,
      expected: lost ? 'a server there' : 'to be let in',
      actual: FOREIGN.test(said) ? 'another kind of server' : said || 'no connection',
      remedy: lost
        ? `Start the server, or correct the address; a firewall may stand between.${address.tls ? ' It must speak TLS there.' : ''}`
        : `Check user, password (the variables ${QUEUE_VARIABLE} and ${QUEUE_PASSWORD_VARIABLE}), certificate and database.`,
    },
    { cause: thrown },
  );
}

/** What the client of Redis says of answers in another protocol. */
const FOREIGN = /^(Unknown RESP type|Protocol error)/;

export function certificatesError(file: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'queue/address',
    operation: 'reading the certificates that a queue is trusted by',
    expected: 'a file with certificates (PEM)',
    actual,
    remedy: 'Correct the path in the address.',
    file,
  });
}

/** What a server says to something that it was asked, once it has let us in. */
export function askedError(address: QueueAddress, thrown: unknown): EspalierError {
  return new EspalierError(
    {
      code: 'queue/refused',
      operation: `asking the queue ${address.shown}`,
      expected: 'an answer',
      actual: redactMessage(thrown instanceof Error ? thrown.message : String(thrown), address.password),
      remedy: 'Look at what the server logs; a queue of your own (another database) has nothing of others in it.',
    },
    { cause: thrown },
  );
}

export function closedError({ shown }: QueueAddress): EspalierError {
  return cancelledError(`asking the queue ${shown}`);
}
