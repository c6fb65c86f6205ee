import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { expect } from 'vitest';
import type { Fault, HubServer } from './hubServer.ts';
import { commitOf, etagOf, gitHash, sendFile } from './hubServer.ts';
import { contentOf, MODEL, NEEDED } from './hubSession.ts';

/** Bundles {@link file://./fetchProcess.ts}. @returns the bundle */
export async function bundleFetching(folder: string): Promise<string> {
  const outfile = path.join(folder, 'fetchProcess.cjs');
  await build({
    entryPoints: ['test/hub/fetchProcess.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  return outfile;
}

export interface Fetching {
  readonly child: ChildProcess;
  /** What it printed when it ended by itself; undefined where it was killed. */
  readonly said: Promise<unknown>;
}

export function startFetching(bundle: string, server: Pick<HubServer, 'endpoint'>, cache: string): Fetching {
  const child = spawn(process.execPath, [bundle, 'hf:o/m'], {
    env: { PATH: process.env['PATH'], HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  const said = new Promise<unknown>((resolve) => {
    child.once('close', () => {
      resolve(text === '' ? undefined : JSON.parse(text));
    });
  });
  return { child, said };
}

/** Sends files piece by piece, and tells of each. @param onStep is told how many requests and pieces there were */
export function stepByStep(onStep: (step: number) => void, size = 16_384): Fault {
  let step = 0;
  const next = (): void => {
    onStep(++step);
  };
  return (seen, response, body) => {
    next();
    if (seen.host !== 'cdn' || body === undefined) return false;
    const pieces: Buffer[] = [];
    const end = response.end.bind(response);
    // The server's own answer, in pieces.
    response.end = ((whole: Buffer) => {
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      const send = (): void => {
        const piece = pieces.shift();
        if (piece === undefined || response.destroyed) {
          end();
          return;
        }
        response.write(piece);
        next();
        setImmediate(send);
      };
      send();
      return response;
    }) as typeof response.end;
    sendFile(seen, response, body, { etag: '"x"' });
    return true;
  };
}

/** Whether the cache is as Python's library expects it, however far a download has come. */
export function expectSound(cache: string): void {
  const repository = path.join(cache, 'models--o--m');
  if (!existsSync(repository)) return;
  const list = (name: string): readonly string[] =>
    existsSync(path.join(repository, name)) ? readdirSync(path.join(repository, name)) : [];
  const blobs = list('blobs');
  for (const name of blobs) {
    if (name.includes('.')) {
      expect(name).toMatch(/\.(incomplete|tmp)$/);
      continue;
    }
    const bytes = readFileSync(path.join(repository, 'blobs', name));
    expect([gitHash(bytes), createHash('sha256').update(bytes).digest('hex')]).toContain(name);
  }
  for (const commit of list('snapshots')) {
    for (const name of readdirSync(path.join(repository, 'snapshots', commit))) {
      const target = readlinkSync(path.join(repository, 'snapshots', commit, name));
      expect(blobs).toContain(path.basename(target));
      expect(target).toBe(path.join('..', '..', 'blobs', path.basename(target)));
    }
  }
  for (const name of list('refs')) {
    const commit = readFileSync(path.join(repository, 'refs', name), 'utf8');
    expect(list('snapshots')).toContain(commit);
    // It is written last.
    expect(readdirSync(path.join(repository, 'snapshots', commit)).sort()).toEqual(NEEDED);
  }
}

/** Whether all of the model is there, and nothing is left over. */
export function expectWhole(cache: string): void {
  expectSound(cache);
  const repository = path.join(cache, 'models--o--m');
  expect(readFileSync(path.join(repository, 'refs', 'main'), 'utf8')).toBe(commitOf(MODEL));
  const blobs = NEEDED.map((name) => etagOf(contentOf(name)));
  expect(readdirSync(path.join(repository, 'blobs')).sort()).toEqual(blobs.sort());
}
