import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const WITHOUT_OPENSSL = hasOpenssl ? '' : ' (skipped: no openssl on this machine)';
let folder: string;
const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  if (!hasOpenssl) return;
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-tls-'));
  chmodSync(folder, 0o755);
  for (const authority of ['ours', 'theirs']) {
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${authority}`, '-keyout', at(`${authority}.key`), '-out', at(`${authority}.pem`)],
    );
  }
  await certify('here', 'IP:127.0.0.1,DNS:localhost', 2);
  await certify('elsewhere', 'DNS:elsewhere.example', 2);
  await certify('expired', 'IP:127.0.0.1,DNS:localhost', -1);
  await certify('byName', 'DNS:localhost', 2);
});

afterAll(async () => {
  if (hasOpenssl) await rm(folder, { recursive: true, force: true });
});

/** Certificate of the server, who is trusted, the host that is asked for, what comes of it. */
const CASES = [
  ['here', 'ours', '127.0.0.1', 'connected'],
  ['here', 'ours', 'localhost', 'connected'],
  ['byName', 'ours', '127.0.0.1', 'queue/refused'],
  ['here', 'theirs', '127.0.0.1', 'queue/refused'],
  ['here', undefined, '127.0.0.1', 'queue/refused'],
  ['here', 'nothing', '127.0.0.1', 'queue/address'],
  ['elsewhere', 'ours', '127.0.0.1', 'queue/refused'],
  ['expired', 'ours', '127.0.0.1', 'queue/refused'],
] as const;

describe.skipIf(!hasRedis || !hasOpenssl)(`Redis over TLS${WITHOUT_REDIS}${WITHOUT_OPENSSL}`, () => {
  test.each(CASES)('certificate "%s", trusting "%s", as %s: %s', async (certificate, trusted, host, outcome) => {
    const port = await freePort();
    const server = await startRedis([
      ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', at('ours.pem')],
      ...['--tls-cert-file', at(`${certificate}.pem`), '--tls-key-file', at(`${certificate}.key`)],
    ]);
    const ca = trusted === undefined ? '' : `?ca=${encodeURIComponent(at(`${trusted}.pem`))}`;
    expect(await outcomeOf(`rediss://${host}:${port}${ca}`)).toBe(outcome);
    await server.dispose();
  });

  test('is said where somebody does not speak it', async () => {
    const port = await freePort();
    const server = await startRedis([
      ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', at('ours.pem')],
      ...['--tls-cert-file', at('here.pem'), '--tls-key-file', at('here.key')],
    ]);
    expect(await outcomeOf(`redis://127.0.0.1:${port}`)).toBe('queue/unreachable');
    await server.dispose();
  });
});

describe.skipIf(!hasPostgres || !hasOpenssl)(`PostgreSQL over TLS${WITHOUT_POSTGRES}${WITHOUT_OPENSSL}`, () => {
  let server: TestServer;
  beforeAll(async () => {
    await show('here');
    const files = ['-c', `ssl_cert_file=${at('shown.pem')}`, '-c', `ssl_key_file=${at('shown.key')}`];
    server = await startPostgres(['-c', 'ssl=on', ...files]);
  });
  afterAll(async () => {
    await server.dispose();
  });

  test.each(CASES)('certificate "%s", trusting "%s", as %s: %s', async (certificate, trusted, host, outcome) => {
    await show(certificate);
    process.kill(server.pid!, 'SIGHUP');
    await expect.poll(() => shownBy(server.port), { timeout: 20_000 }).toContain(`CN = ${certificate}`);
    const ca = trusted === undefined ? '' : `&sslrootcert=${encodeURIComponent(at(`${trusted}.pem`))}`;
    const url = `postgres://espalier@${host}:${server.port}/postgres?sslmode=verify-full${ca}`;
    expect(await outcomeOf(url)).toBe(outcome);
  });
});

async function outcomeOf(url: string): Promise<string> {
  try {
    const server = await QueueServer.connect(readQueueAddress(url), { log: () => undefined });
    // Whoever connects again and again shows its certificate again, too.
    await server.queue('runs').waiting();
    await server.close();
    return 'connected';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

async function certify(name: string, names: string, days: number): Promise<void> {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
  await writeFile(at(`${name}.txt`), `subjectAltName=${names}\n`);
  openssl(
    ...['x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ours.pem'), '-CAkey', at('ours.key'), '-CAcreateserial'],
    ...['-days', String(days), '-extfile', at(`${name}.txt`), '-out', at(`${name}.pem`)],
  );
}

/** Puts a certificate where the server looks for its own. */
async function show(name: string): Promise<void> {
  for (const kind of ['pem', 'key']) await cp(at(`${name}.${kind}`), at(`shown.${kind}`));
  // It reads no key that others may.
  chmodSync(at('shown.key'), 0o600);
  if (process.getuid?.() === 0) {
    chownSync(at('shown.key'), Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' })), 0);
  }
}

function shownBy(port: number): string {
  const flags = ['s_client', '-connect', `127.0.0.1:${port}`, '-starttls', 'postgres'];
  return spawnSync('openssl', flags, { encoding: 'utf8', input: '' }).stdout;
}

function openssl(...flags: readonly string[]): void {
  execFileSync('openssl', flags, { stdio: 'pipe' });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  });
}
