import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { listCache } from '../../src/hub/cacheList.ts';
import { findCached } from '../../src/hub/cachedReference.ts';
import { cachedCommit, snapshotFiles } from '../../src/files/hubCache.ts';
import { temporaryFolder } from './hubSession.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** A model as Python leaves it. */
function cacheWith(name: string): { readonly cache: string; readonly repository: string; readonly snapshot: string } {
  const cache = path.join(temporaryFolder(onTestFinished), 'hub');
  const repository = path.join(cache, name);
  const snapshot = path.join(repository, 'snapshots', COMMIT);
  for (const folder of [snapshot, path.join(repository, 'blobs'), path.join(repository, 'refs')]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(path.join(repository, 'refs', 'main'), COMMIT);
  for (const [i, file] of ['config.json', 'tokenizer.json', 'model.safetensors'].entries()) {
    writeFileSync(path.join(repository, 'blobs', String(i)), 'abc');
    symlinkSync(path.join('..', '..', 'blobs', String(i)), path.join(snapshot, file));
  }
  return { cache, repository, snapshot };
}

it('links that lead out of the cache, or nowhere, are no files', async () => {
  const { cache, repository, snapshot } = cacheWith('models--o--m');
  const outside = path.join(cache, '..', 'secret');
  writeFileSync(outside, 'secret');
  symlinkSync(outside, path.join(snapshot, 'out'));
  symlinkSync('/etc', path.join(snapshot, 'folder'));
  symlinkSync('nowhere', path.join(snapshot, 'gone'));
  expect([...(await snapshotFiles(cache, repository, COMMIT)).keys()].sort()).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
  ]);
});

it('blobs may be links into what all repositories share', async () => {
  const { cache, repository, snapshot } = cacheWith('models--o--m');
  mkdirSync(path.join(cache, 'blobs', 'ab'), { recursive: true });
  writeFileSync(path.join(cache, 'blobs', 'ab', 'abc'), 'shared');
  symlinkSync(path.join('..', '..', 'blobs', 'ab', 'abc'), path.join(repository, 'blobs', 'x'));
  symlinkSync(path.join('..', '..', 'blobs', 'x'), path.join(snapshot, 'x'));
  expect((await snapshotFiles(cache, repository, COMMIT)).get('x')?.bytes).toBe(6);
});

it.each([
  ['main', COMMIT],
  [COMMIT, COMMIT],
  ['0123456', COMMIT],
  ['0123457', undefined],
  ['other', undefined],
])('the revision %s', async (revision, commit) => {
  const { repository } = cacheWith('models--o--m');
  expect(await cachedCommit(repository, revision)).toBe(commit);
});

it('a ref that holds no commit, or is a link, is none', async () => {
  const { repository } = cacheWith('models--o--m');
  writeFileSync(path.join(repository, 'refs', 'odd'), '../../../etc');
  symlinkSync('main', path.join(repository, 'refs', 'linked'));
  expect(await cachedCommit(repository, 'odd')).toBeUndefined();
  expect(await cachedCommit(repository, 'linked')).toBeUndefined();
});

it('a name of one part', async () => {
  const { cache, snapshot } = cacheWith('models--gpt2');
  expect(await findCached({ cache }, { kind: 'model', id: 'gpt2' })).toEqual({ path: snapshot });
});

it('the list passes over what is no repository', async () => {
  const { cache } = cacheWith('models--o--m');
  for (const name of ['.locks', 'spaces--o--s', 'models--a--b--c', 'models--', 'blobs'])
    mkdirSync(path.join(cache, name));
  writeFileSync(path.join(cache, 'CACHEDIR.TAG'), '');
  expect(await listCache(cache)).toMatchObject([
    { kind: 'model', id: 'o/m', bytes: 9, commits: [COMMIT], refs: { main: COMMIT }, isComplete: true, unfinished: 0 },
  ]);
  expect(await listCache(path.join(cache, 'none'))).toEqual([]);
});
