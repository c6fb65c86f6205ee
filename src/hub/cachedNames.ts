import type { CachedName } from '../experiment/cachedName.ts';
import { HUB_PREFIX, parseHubModel, parseHubText } from '../experiment/hubReference.ts';
import { findCached, PARQUET_BRANCH, textFile } from './cachedReference.ts';
import { listCache } from './cacheList.ts';
import type { CachedRepository } from './cacheList.ts';
import { snapshotFiles } from '../files/hubCache.ts';
import { offeredParts } from './neededFiles.ts';

/** Of a repository with more revisions or files, the rest can still be typed. */
const MOST_OF_ONE = 200;
const MOST = 2000;
/** Digits of a commit that tell it from the others of a repository. */
const SHORT = 12;

/** What can be written for what is in the cache, what was used last first. Nobody is asked, and nothing is written. */
export async function cachedNames(cache: string): Promise<readonly CachedName[]> {
  const names: CachedName[] = [];
  for (const repository of await listCache(cache)) {
    if (names.length >= MOST) break;
    names.push(
      ...(repository.kind === 'model' ? await modelNames(cache, repository) : await textNames(cache, repository)),
    );
  }
  return names.slice(0, MOST);
}

/** A model at each revision that is whole; where none is, what there is of `main`. */
async function modelNames(cache: string, repository: CachedRepository): Promise<readonly CachedName[]> {
  const { id, bytes, used } = repository;
  const whole: CachedName[] = [];
  for (const { suffix } of revisionsOf(repository)) {
    const reference = `${HUB_PREFIX}${id}${suffix}`;
    const parsed = parseHubModel(reference);
    if (!('reference' in parsed) || !('path' in (await findCached({ cache }, parsed.reference)))) continue;
    whole.push({ kind: 'model', reference, bytes, used, isComplete: true });
  }
  if (whole.length > 0) return whole;
  const reference = `${HUB_PREFIX}${id}`;
  return 'reference' in parseHubModel(reference) ? [{ kind: 'model', reference, bytes, used, isComplete: false }] : [];
}

/** The files of rows of a data set: by configuration and split where these mean that one file, else by path. */
async function textNames(cache: string, repository: CachedRepository): Promise<readonly CachedName[]> {
  const { id, folder, used } = repository;
  const names = new Map<string, CachedName>();
  for (const { commit, suffix } of revisionsOf(repository)) {
    const files = [...(await snapshotFiles(cache, folder, commit)).values()];
    for (const file of files) {
      if (names.size >= MOST_OF_ONE) return [...names.values()];
      const parts = [...offeredParts([file]), ...(offeredParts([file]).length > 0 ? [`/${file.path}`] : [])];
      const reference = parts
        .map((part) => `${HUB_PREFIX}${id}${part}${suffix}`)
        .find((written) => means(written, files, file.path));
      if (reference === undefined || names.has(reference)) continue;
      names.set(reference, { kind: 'dataset', reference, bytes: file.bytes, used, isComplete: true });
    }
  }
  return [...names.values()];
}

function means(written: string, files: readonly { readonly path: string }[], file: string): boolean {
  const parsed = parseHubText(written);
  if (!('reference' in parsed)) return false;
  try {
    return textFile(files, parsed.reference) === file;
  } catch {
    // A split of several files.
    return false;
  }
}

interface Revision {
  readonly commit: string;
  /** Behind the name: empty where it need not be said. */
  readonly suffix: string;
}

/** Branches and tags, and commits that none of them is at, `main` first. */
function revisionsOf({ kind, refs, commits }: CachedRepository): readonly Revision[] {
  const named = Object.entries(refs).filter(([, commit]) => commits.includes(commit));
  named.sort(([a], [b]) => Number(b === 'main') - Number(a === 'main'));
  const isPlain = (name: string): boolean => name === 'main' || (kind === 'dataset' && name === PARQUET_BRANCH);
  return [
    ...named.map(([name, commit]) => ({ commit, suffix: isPlain(name) ? '' : `@${name}` })),
    ...commits
      .filter((commit) => !named.some(([, at]) => at === commit))
      .map((commit) => ({ commit, suffix: `@${commit.slice(0, SHORT)}` })),
  ].slice(0, MOST_OF_ONE);
}
