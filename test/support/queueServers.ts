import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server that tests start on loopback, of a kind that people have. */
export interface TestServer {
  /** Address of it, without TLS. */
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** Ends it as a power cut would, and starts it again on the same port. @param forget also what it had on disk */
  restart(forget?: boolean): Promise<void>;
  /** As {@link restart}, in two steps. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Clients that are connected to it. */
  connections(): number;
  /** Ends it, and removes what it had. */
  dispose(): Promise<void>;
}

const PROGRAMS = postgresPrograms();
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
export const hasPostgres = PROGRAMS !== undefined;
export const WITHOUT_REDIS = hasRedis ? '' : ' (skipped: no redis-server on this machine)';
export const WITHOUT_POSTGRES = hasPostgres ? '' : ' (skipped: no PostgreSQL server on this machine)';

/** Redis that keeps what it is told on disk before it answers. @param more settings of redis.conf, as flags */
export async function startRedis(more: readonly string[] = []): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-redis-'));
  const port = await freePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
  const server = new Server(folder, port, `redis://127.0.0.1:${port}`, {
    start: () => spawn('redis-server', [...flags, '--appendfsync', 'always', ...more], { stdio: 'ignore' }),
    // The one that asks is none of them.
    connections: () =>
      said('redis-cli', ['-p', String(port), 'client', 'list'])
        .trim()
        .split('\n').length - 1,
    isReady: () => /PONG|NOAUTH/.test(said('redis-cli', ['-p', String(port), 'ping'])),
    data: 'appendonlydir',
  });
  await server.start();
  return server;
}

/** PostgreSQL, with a database of its own. */
export async function startPostgres(more: readonly string[] = []): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-postgres-'));
  const port = await freePort();
  const data = join(folder, 'data');
  // It does not run as root.
  const user = process.getuid?.() === 0 ? unprivileged() : undefined;
  if (user) await chown(folder, user.uid, user.gid);
  const settings = ['-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', ...more];
  const make = (): void => {
    const made = spawnSync(join(PROGRAMS!, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'espalier', '--no-sync'], user);
    if (made.status !== 0) throw new Error(String(made.stderr));
  };
  const server = new Server(folder, port, `postgres://espalier@127.0.0.1:${port}/postgres`, {
    start: () => {
      if (!existsSync(data)) make();
      return spawn(join(PROGRAMS!, 'postgres'), ['-D', data, ...settings], { stdio: 'ignore', ...user });
    },
    connections: () => Number(said(join(PROGRAMS!, 'psql'), ['-h', '127.0.0.1', '-p', String(port), ...COUNT])) - 1,
    isReady: () => said(join(PROGRAMS!, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).includes('accepting'),
    data: 'data',
  });
  await server.start();
  return server;
}

const COUNT = [
  ...['-U', 'espalier', '-d', 'postgres', '-A', '-t', '-c'],
  "select count(*) from pg_stat_activity where backend_type = 'client backend'",
] as const;

/** Both kinds of server, for tests that are the same over each. */
export const SERVER_KINDS = [
  { name: `Redis${WITHOUT_REDIS}`, start: startRedis, isThere: hasRedis },
  { name: `PostgreSQL${WITHOUT_POSTGRES}`, start: startPostgres, isThere: hasPostgres },
] as const;

interface Program {
  readonly start: () => ChildProcess;
  readonly isReady: () => boolean;
  readonly connections: () => number;
  /** What holds its data, in its folder. */
  readonly data: string;
}

class Server implements TestServer {
  readonly url: string;
  readonly port: number;
  private readonly folder: string;
  private readonly program: Program;
  private child: ChildProcess | undefined;

  constructor(folder: string, port: number, url: string, program: Program) {
    this.folder = folder;
    this.port = port;
    this.url = url;
    this.program = program;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  async start(): Promise<void> {
    this.child = this.program.start();
    for (let tries = 0; !this.program.isReady(); tries++) {
      if (tries > 600 || this.child.exitCode !== null) throw new Error(`${this.url} did not start`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  connections(): number {
    return this.program.connections();
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async restart(forget = false): Promise<void> {
    await this.kill();
    if (forget) await rm(join(this.folder, this.program.data), { recursive: true, force: true });
    await this.start();
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function postgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((folder) => existsSync(join(folder, 'initdb')));
}

function unprivileged(): { readonly uid: number; readonly gid: number } {
  const id = (of: string): number => Number(said('id', [of, 'nobody']));
  return { uid: id('-u'), gid: id('-g') };
}

function said(program: string, flags: readonly string[]): string {
  return spawnSync(program, flags, { encoding: 'utf8' }).stdout;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  });
}
