import { execFileSync } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import {
  hasPostgres,
  hasRedis,
  startPostgres,
  startRedis,
  WITHOUT_POSTGRES,
  WITHOUT_REDIS,
} from '../support/queueServers.ts';
import type { TestServer } from '../support/queueServers.ts';

const PASSWORD = 'correct-horse-battery';
const console_ = ['log', 'info', 'warn', 'error', 'debug'] as const;
const lines: string[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const name of console_) vi.spyOn(console, name).mockImplementation((...said) => void lines.push(said.join(' ')));
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(lines).toEqual([]);
});

/** Connects, and asks for something. @returns what the log was told */
async function use(url: string): Promise<readonly string[]> {
  const said: string[] = [];
  const server = await QueueServer.connect(readQueueAddress(url), { log: (line) => said.push(line) });
  try {
    await server.queue('runs').waiting();
    return said;
  } finally {
    await server.close();
  }
}

async function refusal(url: string): Promise<{ readonly code: unknown; readonly text: string }> {
  try {
    await use(url);
  } catch (error) {
    return { code: (error as { code?: unknown }).code, text: String(error) };
  }
  return { code: 'none', text: '' };
}

describe.skipIf(!hasRedis)(`Redis${WITHOUT_REDIS}`, () => {
  test.each([
    ['that takes no more', ['--maxmemory', '1'], '', /OOM/],
    ['that is a replica', ['--replicaof', '127.0.0.1 1'], '', /READONLY|MASTERDOWN/],
    ['without that database', [], '/99', /DB index is out of range/],
    ['that wants a password', ['--requirepass', PASSWORD], '', /NOAUTH/],
    ['that wants another password', ['--requirepass', PASSWORD], 'wrong-password-given', /WRONGPASS/],
    [
      'whose user may not read',
      ['--user', 'reader', 'on', `>${PASSWORD}`, '-@all', '+info', '+ping', '+hello'],
      'reader',
      /NOPERM/,
    ],
  ])('%s is refused, with its words', async (_, flags, how, words) => {
    const server = await startRedis(flags);
    const who = how === 'reader' ? `reader:${PASSWORD}@` : how.startsWith('wrong') ? `:${how}@` : '';
    const { code, text } = await refusal(`redis://${who}127.0.0.1:${server.port}${how.startsWith('/') ? how : ''}`);
    await server.dispose();
    expect(text).toMatch(words);
    expect(code).toBe('queue/refused');
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain('wrong-password-given');
  });

  test('that forgets when it is full is used, and told of in the log', async () => {
    const server = await startRedis(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
    expect(await use(server.url)).toEqual([expect.stringMatching(/maxmemory-policy allkeys-lru.*noeviction/)]);
    await server.dispose();
  });

  test('that needs no password takes one', async () => {
    const server = await startRedis();
    expect(await use(`redis://:${PASSWORD}@127.0.0.1:${server.port}`)).toEqual([]);
    await server.dispose();
  });
});

describe.skipIf(!hasPostgres)(`PostgreSQL${WITHOUT_POSTGRES}`, () => {
  let server: TestServer;
  const sql = (text: string, database = 'postgres'): void => {
    execFileSync(
      'psql',
      ['-q', '-h', '127.0.0.1', '-p', String(server.port), '-U', 'espalier', '-d', database, '-c', text],
      {
        stdio: 'pipe',
      },
    );
  };
  const at = (who: string, database: string): string => `postgres://${who}@127.0.0.1:${server.port}/${database}`;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server.dispose();
  });

  test.each([
    ['without that database', 'espalier', 'nowhere', /database "nowhere" does not exist/, ''],
    ['without that user', 'nobody', 'postgres', /role "nobody" does not exist/, ''],
    ['whose user may make no schema', 'guest', 'postgres', /permission denied/, 'CREATE ROLE guest LOGIN'],
    [
      'whose tables are of a later version',
      'espalier',
      'later',
      /99/,
      `CREATE DATABASE later;\\c later;CREATE SCHEMA espalier_queue;CREATE TABLE espalier_queue.migration (version int PRIMARY KEY, name text,
       min_client_version int, applied_at timestamptz DEFAULT now());INSERT INTO espalier_queue.migration VALUES (999, 'later', 99)`,
    ],
    [
      'that is read only',
      'espalier',
      'still',
      /read-only/,
      'CREATE DATABASE still;ALTER DATABASE still SET default_transaction_read_only = on',
    ],
  ])('%s is refused, with its words', async (_, who, database, words, before) => {
    for (const [index, part] of before.split(/\\c \w+;/).entries()) {
      for (const one of part.split(';').filter((text) => text !== '')) sql(one, index === 0 ? 'postgres' : database);
    }
    const { code, text } = await refusal(at(who, database));
    expect(text).toMatch(words);
    expect(code).toBe('queue/refused');
  });

  test('whose user may use the tables, and make none, is used', async () => {
    await use(at('espalier', 'postgres'));
    for (const what of ['ALL TABLES', 'ALL SEQUENCES', 'ALL FUNCTIONS']) {
      sql(
        `DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'member') THEN CREATE ROLE member LOGIN; END IF; END$$`,
      );
      sql(`GRANT ALL ON ${what} IN SCHEMA espalier_queue TO member; GRANT USAGE ON SCHEMA espalier_queue TO member`);
    }
    expect(await use(at('member', 'postgres'))).toEqual([]);
  });

  test('without TLS is refused by whoever expects it', async () => {
    const { code, text } = await refusal(`${at('espalier', 'postgres')}?sslmode=verify-full`);
    expect(text).toMatch(/does not support SSL/);
    expect(code).toBe('queue/refused');
  });
});

describe('what is no such server', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });
  const listening = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) =>
      server.listen(0, '127.0.0.1', () => {
        resolve();
      }),
    );
    return (server.address() as AddressInfo).port;
  };
  const old = (): Server =>
    createServer((socket) => {
      const info = 'redis_version:5.0.14\r\n';
      socket.on('error', () => undefined);
      socket.on('data', (asked) => {
        for (const command of asked.toString().match(/\r\n(hello|info|client|select|ping|set)\r\n/gi) ?? []) {
          if (/hello/i.test(command)) socket.write("-ERR unknown command 'HELLO'\r\n");
          else socket.write(/info/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
        }
      });
    });
  const talking = (): Server =>
    createServer((socket) => socket.on('error', () => undefined).end('220 mail.example ESMTP\r\n'));
  const web = (): Server => createHttpServer((_, response) => response.end('hello'));

  test.each([
    ['a web server', 'redis', web, /another kind of server/],
    ['a web server', 'postgres', web, /Connection terminated/],
    ['a mail server', 'redis', talking, /another kind of server/],
    ['a mail server', 'postgres', talking, /Connection terminated/],
    ['Redis 5', 'redis', old, /Redis 5\.0\.14; 6\.2 is the oldest/],
  ])('%s where %s was expected is said', async (_, scheme, start, words) => {
    const { code, text } = await refusal(`${scheme}://127.0.0.1:${await listening(start())}`);
    expect(text).toMatch(words);
    expect(code).toMatch(/^queue\/(refused|unreachable)$/);
  });

  test('nobody there is said', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    for (const scheme of ['redis', 'postgres']) {
      expect(await refusal(`${scheme}://127.0.0.1:${port}`)).toMatchObject({ code: 'queue/unreachable' });
    }
  });
});
