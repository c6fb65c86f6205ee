import { EspalierError } from '../base/errors.ts';
import { QUEUE_PASSWORD_VARIABLE, QUEUE_VARIABLE } from '../base/secretVariables.ts';

export type QueueKind = 'redis' | 'postgres';

/** Where a queue is. */
export interface QueueAddress {
  readonly kind: QueueKind;
  /** Without a password: what may be shown and kept. The same for all spellings of an address. */
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  /** Number (Redis) or name (PostgreSQL) of the database. */
  readonly database: string;
  /** Whether the connection is encrypted, and the server's certificate checked. */
  readonly tls: boolean;
  /** File with certificates that are trusted beside those of the system. */
  readonly trusted?: string;
}

interface Scheme {
  readonly kind: QueueKind;
  readonly tls: boolean;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  'redis:': { kind: 'redis', tls: false },
  'rediss:': { kind: 'redis', tls: true },
  'valkey:': { kind: 'redis', tls: false },
  'valkeys:': { kind: 'redis', tls: true },
  'postgres:': { kind: 'postgres', tls: false },
  'postgresql:': { kind: 'postgres', tls: false },
};
const PORTS: Readonly<Record<QueueKind, number>> = { redis: 6379, postgres: 5432 };
const DATABASES: Readonly<Record<QueueKind, string>> = { redis: '0', postgres: 'postgres' };
/** Parameter that names a file of trusted certificates; PostgreSQL's as libpq has it. */
const TRUSTED: Readonly<Record<QueueKind, string>> = { redis: 'ca', postgres: 'sslrootcert' };
/** libpq's words; those in between would encrypt without knowing with whom. */
const SSL_MODES: Readonly<Record<string, boolean>> = { disable: false, 'verify-full': true };

/**
 * Reads an address such as `redis://host:6379`, `rediss://user@host/0?ca=FILE` or
 * `postgres://user@host/db?sslmode=verify-full&sslrootcert=FILE`.
 *
 * @param password in place of the address's own
 * @throws EspalierError `queue/address`; it repeats nothing that may be a password
 */
export function readQueueAddress(text: string, password?: string): QueueAddress {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    throw addressError('text that is no URL');
  }
  const scheme = SCHEMES[url.protocol];
  if (!scheme) throw addressError(`one that starts with ${url.protocol}`);
  const { kind } = scheme;
  if (url.hostname === '') throw addressError('one without a host');
  if (url.hash !== '') throw addressError('one with a fragment (#) in it: write %23 for a # of a password');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? PORTS[kind] : Number(url.port);
  const user = decoded(url.username, 'user');
  const ownPassword = password ?? decoded(url.password, 'password');
  const database = decoded(url.pathname.replace(/^\//, ''), 'database') || DATABASES[kind];
  if (kind === 'redis' && !/^\d{1,4}$/.test(database)) throw addressError('a database that is no number');
  const { tls, trusted } = readParameters(url.searchParams, scheme);
  return {
    kind,
    host,
    port,
    database,
    tls,
    shown: shownOf({ kind, tls, host, port, database, user }),
    ...(user !== '' && { user }),
    ...(ownPassword !== '' && { password: ownPassword }),
    ...(trusted !== undefined && { trusted }),
  };
}

/** Whether a text that names a queue holds a password, as far as that can be said of it. */
export function holdsPassword(text: string): boolean {
  try {
    return new URL(text.trim()).password !== '';
  } catch {
    return false;
  }
}

/** The same text without the password in it. @param text of which {@link holdsPassword} is true */
export function withoutPassword(text: string): string {
  const url = new URL(text.trim());
  url.password = '';
  return url.href;
}

function readParameters(parameters: URLSearchParams, { kind, tls }: Scheme): Pick<QueueAddress, 'tls' | 'trusted'> {
  let encrypted = tls;
  let trusted: string | undefined;
  for (const [name, value] of parameters) {
    if (name === TRUSTED[kind] && value !== '') trusted = value;
    else if (name === 'sslmode' && kind === 'postgres') {
      const mode = SSL_MODES[value];
      if (mode === undefined) {
        throw addressError(`another sslmode than ${Object.keys(SSL_MODES).join(' and ')}`);
      }
      encrypted = mode;
    } else {
      const known = kind === 'postgres' ? `sslmode and ${TRUSTED.postgres}` : TRUSTED.redis;
      throw addressError(`a parameter that is not known (there are ${known})`);
    }
  }
  if (trusted !== undefined && !encrypted) throw addressError('trusted certificates, and no encryption');
  return { tls: encrypted, ...(trusted !== undefined && { trusted }) };
}

function shownOf(address: {
  readonly kind: QueueKind;
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}): string {
  const { kind, tls, host, port, database, user } = address;
  const who = user === '' ? '' : `${encodeURIComponent(user)}@`;
  const where = host.includes(':') ? `[${host}]` : host;
  const scheme = kind === 'redis' && tls ? 'rediss' : kind;
  const encrypted = kind === 'postgres' && tls ? '?sslmode=verify-full' : '';
  return `${scheme}://${who}${where}:${port}/${encodeURIComponent(database)}${encrypted}`;
}

function decoded(part: string, what: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw addressError(`a ${what} with a % that begins no escape`);
  }
}

function addressError(actual: string): EspalierError {
  return new EspalierError({
    code: 'queue/address',
    operation: 'reading the address of a queue',
    expected: 'a URL such as redis://host:6379, rediss://user@host:6379/0 or postgres://user@host:5432/database',
    actual,
    remedy: `Correct the address. A password belongs into the variable ${QUEUE_VARIABLE} or ${QUEUE_PASSWORD_VARIABLE}, not into a file.`,
  });
}
