import { EspalierError } from '../base/errors.ts';
import { isSafePath } from '../experiment/hubReference.ts';
import type { HubFileEntry } from './fetchBlob.ts';
import { addressOf, endpointText } from './hubEnvironment.ts';
import { isCommit } from '../files/hubCache.ts';
import { ask, endpointFetch, withTries } from './hubClient.ts';
import type { HubClient } from './hubClient.ts';
import { badReplyError } from './hubErrors.ts';
import type * as Package from './hubPackage.ts';

/** What the hub says of a repository at a revision. */
export interface RepositoryInfo {
  readonly commit: string;
  /** Whether its licence has to be accepted first. */
  readonly isGated: boolean;
  /** As `llama2`, `mit`; what its owner says. */
  readonly licence?: string;
}

export async function repositoryInfo(client: HubClient, revision: string): Promise<RepositoryInfo> {
  const { kind, id } = client.reference;
  const hub = await loadPackage();
  const params = { name: id, revision, ...common(client) };
  const found: unknown = await readable<object>(client, () =>
    kind === 'model'
      ? hub.modelInfo({ ...params, additionalFields: ['sha', 'tags'] })
      : hub.datasetInfo({ ...params, additionalFields: ['sha', 'tags'] }),
  );
  const { sha, tags, gated } = found as Readonly<Record<string, unknown>>;
  if (typeof sha !== 'string' || !isCommit(sha)) throw badReplyError(client, 'the commit of a revision', 'no commit');
  const licence = Array.isArray(tags)
    ? tags.find((tag): tag is string => typeof tag === 'string' && tag.startsWith('license:'))
    : undefined;
  return {
    commit: sha,
    isGated: gated === 'auto' || gated === 'manual',
    ...(licence !== undefined && { licence: licence.slice('license:'.length, 'license:'.length + 40) }),
  };
}

/** A repository has some; one with more is not looked through. */
const MOST_ENTRIES = 200_000;

/** What of a repository is listed. */
export interface ListedPart {
  /** Only what is in it; all of the repository without it. */
  readonly folder?: string;
  /** What is in folders of it, too. */
  readonly recursive: boolean;
}

/** The files of a commit whose names can be names here, too. */
export async function listRepository(
  client: HubClient,
  commit: string,
  { folder, recursive }: ListedPart,
): Promise<readonly HubFileEntry[]> {
  const { kind, id } = client.reference;
  const hub = await loadPackage();
  const repo = { type: kind, name: id };
  const path = folder === undefined ? {} : { path: folder.split('/').map(encodeURIComponent).join('/') };
  const pages = hub.listFiles({ repo, revision: commit, recursive, ...path, ...common(client) });
  return readable(client, async () => {
    const entries: HubFileEntry[] = [];
    let seen = 0;
    for await (const entry of pages) {
      if (++seen > MOST_ENTRIES) throw badReplyError(client, `at most ${MOST_ENTRIES} files`, 'more');
      const read = await entryOf(client, commit, entry);
      if (read) entries.push(read);
    }
    return entries;
  });
}

interface Listed {
  readonly type?: unknown;
  readonly path?: unknown;
  readonly size?: unknown;
  readonly oid?: unknown;
  readonly lfs?: { readonly oid?: unknown; readonly size?: unknown } | null;
}

async function entryOf(client: HubClient, commit: string, listed: unknown): Promise<HubFileEntry | undefined> {
  if (typeof listed !== 'object' || listed === null) throw badReplyError(client, 'a list of files', 'something else');
  const { type, path, size, oid, lfs } = listed as Listed;
  if (type !== 'file' || typeof path !== 'string' || !isSafePath(path)) return undefined;
  const etag = lfs ? lfs.oid : oid;
  const bytes = lfs?.size ?? size;
  if (!isSize(bytes)) throw badReplyError(client, `the size of ${path}`, String(bytes).slice(0, 40));
  const isLfs = typeof etag === 'string' && /^[0-9a-f]{64}$/.test(etag);
  if (isLfs || (typeof etag === 'string' && /^[0-9a-f]{40}$/.test(etag))) return { path, bytes, etag, isLfs };
  // Some mirrors leave the hashes out of their listings.
  return headOf(client, commit, path, bytes);
}

/** What the address of a file itself says of it. */
async function headOf(client: HubClient, commit: string, path: string, bytes: number): Promise<HubFileEntry> {
  const reply = await withTries(client, () =>
    ask(client, fileAddress(client, commit, path), { range: 'bytes=0-0' }, 'follow'),
  );
  reply.close();
  const etag = /^(?:W\/)?"?([0-9a-f]{40}|[0-9a-f]{64})"?$/.exec(
    reply.linkedEtag ?? reply.headers.get('etag') ?? '',
  )?.[1];
  if (etag === undefined) throw badReplyError(client, `the hash of ${path}`, 'none');
  return { path, bytes, etag, isLfs: etag.length === 64 };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Where the bytes of a file of a commit are asked for. */
export function fileAddress(client: HubClient, commit: string, path: string): string {
  const { kind, id } = client.reference;
  const file = path.split('/').map(encodeURIComponent).join('/');
  return addressOf(client, `${kind === 'dataset' ? 'datasets/' : ''}${id}/resolve/${commit}/${file}`);
}

function common(client: HubClient): { readonly hubUrl: string; readonly fetch: typeof fetch } {
  return { hubUrl: endpointText(client.endpoint), fetch: endpointFetch(client) };
}

/** What the library makes of a reply that is none of the hub's is a defect of the reply. */
async function readable<Value>(client: HubClient, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    const actual = thrown instanceof SyntaxError ? 'what is no JSON' : 'something else';
    throw badReplyError(client, 'an answer of the hub’s API', actual);
  }
}

function loadPackage(): Promise<typeof Package> {
  return import('./hubPackage.ts');
}
