import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { locate } from '../../src/hub/locate.ts';
import { HubServer, commitOf } from './hubServer.ts';
import { contentOf, MODEL, NEEDED, sessionFor, temporaryFolder } from './hubSession.ts';

/** A Python that has the library whose cache this is (`pip install huggingface_hub`). */
const python = [process.env['ESPALIER_PYTHON'], '/usr/bin/python3', 'python3'].find((command) => {
  if (command === undefined) return false;
  try {
    execFileSync(command, ['-c', 'import huggingface_hub'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

let server: HubServer;
afterEach(() => server.stop());

/** What a program prints, as JSON, run with the server and the cache in its environment. */
function run(program: string, cache: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const env = {
    ...process.env,
    ...{ HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cache, HF_HUB_DISABLE_TELEMETRY: '1', HF_HUB_DISABLE_XET: '1' },
    ...{ HF_HUB_DISABLE_PROGRESS_BARS: '1', HF_HOME: path.join(cache, '..', 'home'), ...more },
  };
  return new Promise((resolve, reject) => {
    execFile(python!, ['-c', `import json\nfrom huggingface_hub import *\n${program}`], { env }, (error, stdout) => {
      if (error) reject(new Error('Python failed', { cause: error }));
      else resolve(JSON.parse(stdout));
    });
  });
}

const DOWNLOAD = `print(json.dumps(snapshot_download("o/m", allow_patterns=${JSON.stringify(NEEDED)})))`;
const SCAN = `
found = scan_cache_dir()
[repo] = found.repos
[revision] = repo.revisions
print(json.dumps(dict(
  warnings=[str(each) for each in found.warnings],
  id=repo.repo_id, type=repo.repo_type, bytes=repo.size_on_disk, commit=revision.commit_hash,
  refs=sorted(revision.refs), files=sorted(each.file_name for each in revision.files),
)))`;

describe.skipIf(python === undefined)(
  `Python’s huggingface_hub${python === undefined ? ' (not installed)' : ''}`,
  () => {
    it('finds what we have fetched without a connection, and scans it without a warning', async () => {
      server = await HubServer.start({ 'models/o/m': { files: MODEL } });
      const cache = path.join(temporaryFolder(onTestFinished), 'hub');
      const place = await locate('hf:o/m', 'model', sessionFor(server, cache));
      const offline = { HF_HUB_OFFLINE: '1' };
      const local = 'print(json.dumps(snapshot_download("o/m", local_files_only=True)))';
      expect(await run(local, cache, offline)).toBe(place);
      expect(await run('print(json.dumps(try_to_load_from_cache("o/m", "config.json")))', cache, offline)).toBe(
        path.join(place, 'config.json'),
      );
      expect(await run(SCAN, cache, offline)).toEqual({
        warnings: [],
        ...{ id: 'o/m', type: 'model', commit: commitOf(MODEL), refs: ['main'], files: NEEDED },
        bytes: NEEDED.reduce((sum, name) => sum + contentOf(name).length, 0),
      });
    });

    it('fetches nothing again of what we have', async () => {
      server = await HubServer.start({ 'models/o/m': { files: MODEL } });
      const cache = path.join(temporaryFolder(onTestFinished), 'hub');
      const place = await locate('hf:o/m', 'model', sessionFor(server, cache));
      const { length } = server.seen.filter(({ host }) => host === 'cdn');
      expect(await run(DOWNLOAD, cache)).toBe(place);
      expect(server.seen.filter(({ host }) => host === 'cdn')).toHaveLength(length);
    });

    it.each([
      ['links', {}],
      ['no links', { HF_HUB_DISABLE_SYMLINKS: '1' }],
    ])('has fetched what we then find without a connection, with %s', async (_, more) => {
      server = await HubServer.start({ 'models/o/m': { files: MODEL } });
      const cache = path.join(temporaryFolder(onTestFinished), 'hub');
      const place = await run(DOWNLOAD, cache, more);
      const { length } = server.seen;
      expect(await locate('hf:o/m', 'model', sessionFor(server, cache, { agree: undefined }))).toBe(place);
      expect(server.seen).toHaveLength(length);
    });

    it('and we at once end in one cache', async () => {
      server = await HubServer.start({ 'models/o/m': { files: MODEL } });
      const cache = path.join(temporaryFolder(onTestFinished), 'hub');
      const [theirs, ours] = await Promise.all([
        run(DOWNLOAD, cache),
        locate('hf:o/m', 'model', sessionFor(server, cache)),
      ]);
      expect(theirs).toBe(ours);
      for (const name of NEEDED) {
        expect(existsSync(path.join(ours, readlinkSync(path.join(ours, name))))).toBe(true);
      }
      const blobs = readdirSync(path.join(cache, 'models--o--m', 'blobs'));
      expect(blobs.filter((name) => name.includes('.'))).toEqual([]);
    });
  },
);
