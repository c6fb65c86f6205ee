import type { SecureContextOptions } from 'node:tls';
import { rootCertificates } from 'node:tls';
import { FileProblem } from '../files/fileProblem.ts';
import { readBytes } from '../files/readBytes.ts';
import type { QueueAddress } from './queueAddress.ts';
import { certificatesError } from './queueErrors.ts';
import type * as Package from './queuePackage.ts';
import { troubleOf } from './serverTrouble.ts';

/** Begins every key in Redis: nothing of anybody else's is touched. */
export const PREFIX = 'espalier';
/** The same in PostgreSQL. */
const SCHEMA = 'espalier_queue';
/** Bytes of a file with certificates. */
const MAX_CERTIFICATES = 4 << 20;
/** Most milliseconds between tries of Redis's client to connect again. */
const MOST_BETWEEN_TRIES = 2000;
/** Milliseconds after which who says nothing at all counts as cut off. Whoever waits for work asks for at most half of that. */
const SILENCE = 20_000;
/** Versions that BullMQ is tested with: https://docs.bullmq.io/guide/redis-tm-compatibility, and its check for PostgreSQL. */
const OLDEST = { redis: [6, 2], postgres: 13 } as const;
/** Connections of one queue in one process, the one that listens aside: servers allow 100 in all, as they come. */
const MOST_CONNECTIONS = 2;

/** How the library reaches one kind of server. */
export interface ServerConnection<Options> {
  readonly options: Options;
  /**
   * Sees whether a server can be used, and makes what is missing of our tables.
   *
   * @returns what whoever runs the server should know. @throws what the server says, or why there is none
   */
  readonly login: () => Promise<readonly string[]>;
}

/** @throws EspalierError `queue/address` for certificates that cannot be read */
export async function redisConnection(
  address: QueueAddress,
  { Redis, RedisConnection, createIORedisClient }: typeof Package,
): Promise<ServerConnection<Package.ConnectionOptions>> {
  const { host, port, user, password, database } = address;
  const options = {
    ...{ host, port, db: Number(database) },
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(address.tls && { tls: await tlsOptions(address) }),
    maxRetriesPerRequest: null,
    socketTimeout: SILENCE,
    retryStrategy: (times: number) => Math.min(100 * 2 ** times, MOST_BETWEEN_TRIES),
    // A server that became a replica: its name leads to another one now.
    reconnectOnError: ({ message }: Error) => (message.startsWith('READONLY') ? (2 as const) : false),
  };
  // The library stops listening once it has closed a client; an error after that would be printed.
  RedisConnection.clientFactory = (asked) => {
    const client = new Redis(asked);
    client.on('error', () => undefined);
    return createIORedisClient(client);
  };
  const login = async (): Promise<readonly string[]> => {
    const client = new Redis({
      ...options,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
      reconnectOnError: null,
    });
    // What `connect` rejects with says only that there is no connection.
    const problems: Error[] = [];
    client.on('error', (error) => problems.push(error));
    try {
      await client.connect();
      const info = await client.info();
      if (problems[0]) throw problems[0];
      checkRedis(info);
      // Some servers can be read only.
      await client.set(`${PREFIX}:login`, '1', 'PX', 1000);
      return adviceOn(info);
    } catch (error) {
      throw problems[0] ?? error;
    } finally {
      client.disconnect();
    }
  };
  return { options, login };
}

/** @throws EspalierError `queue/address` for certificates that cannot be read */
export async function postgresConnection(
  address: QueueAddress,
  { postgres, assertSchemaCompatibility, runMigrations, LATEST_SCHEMA_VERSION }: typeof Package,
): Promise<ServerConnection<Package.PostgresConnectionOptions>> {
  const { host, port, user, password, database } = address;
  const tls = address.tls ? await tlsOptions(address) : undefined;
  /** Connections break also while nobody listens: who asked is told by what they asked. */
  class Client extends postgres.Client {
    constructor(config?: ConstructorParameters<typeof postgres.Client>[0]) {
      super(config);
      this.on('error', () => undefined);
    }
  }
  const options = {
    ...{ host, port, database, application_name: 'espalier' },
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    // Without a host, certificates of addresses would be compared with the name "localhost".
    ...(tls && { ssl: { ...tls, host } }),
    ...{ keepAlive: true, connectionTimeoutMillis: SILENCE, query_timeout: SILENCE },
  };
  const login = async (): Promise<readonly string[]> => {
    const client = new Client(options);
    try {
      await client.connect();
      const { rows } = await client.query<{ version: string }>(
        `SELECT current_setting('server_version_num') AS version`,
      );
      const major = Math.floor(Number(rows[0]?.version) / 10_000);
      if (!(major >= OLDEST.postgres))
        throw new Error(`PostgreSQL ${major}; ${OLDEST.postgres} is the oldest that can be used`);
      const version = await assertSchemaCompatibility(client, SCHEMA, { skipVersionCheck: true }).catch(withoutSchema);
      // Not otherwise: only the owner of a database may make schemas.
      if (version < LATEST_SCHEMA_VERSION) await runMigrations(client, SCHEMA, { skipVersionCheck: true });
      return [];
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  return { options: { ...options, Client, schema: SCHEMA, skipVersionCheck: true, max: MOST_CONNECTIONS }, login };
}

/** No version at all, where there is no schema. */
function withoutSchema(thrown: unknown): number {
  if (troubleOf(thrown) === 'forgotten') return 0;
  throw thrown;
}

function checkRedis(info: string): void {
  // Valkey says the version of Redis that it stands for, too.
  const version = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(info);
  if (!version) throw new Error('a server that does not say which version of Redis it is');
  const [major, minor] = [Number(version[2]), Number(version[3])];
  const [oldest, least] = OLDEST.redis;
  if (major < oldest || (major === oldest && minor < least)) {
    throw new Error(`Redis ${version[1]}; ${oldest}.${least} is the oldest that can be used`);
  }
}

function adviceOn(info: string): readonly string[] {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const bytes = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  if (policy === 'noeviction' || bytes === 0) return [];
  return [`the server forgets questions when its memory is full (maxmemory-policy ${policy}): set it to noeviction`];
}

async function tlsOptions({ trusted }: QueueAddress): Promise<SecureContextOptions> {
  if (trusted === undefined) return {};
  try {
    const pem = await readBytes(trusted, { maxBytes: MAX_CERTIFICATES });
    return { ca: [...rootCertificates, pem.toString('utf8')] };
  } catch (error) {
    throw certificatesError(trusted, error instanceof FileProblem ? error.message : String(error));
  }
}
