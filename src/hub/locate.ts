import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { formatBytes } from '../experiment/format.ts';
import { hubPage, parseHubModel, parseHubText, printReference } from '../experiment/hubReference.ts';
import type { HubReference } from '../experiment/hubReference.ts';
import { findCached } from './cachedReference.ts';
import { planFetch } from './fetchPlan.ts';
import type { FetchPlan } from './fetchPlan.ts';
import type { HubClient } from './hubClient.ts';
import { endpointText } from './hubEnvironment.ts';
import type { HubEnvironment } from './hubEnvironment.ts';
import { hubError, offlineError, requireReference } from './hubErrors.ts';
import { fileAddress } from './repository.ts';
import { openSnapshot, storeFile, storeMissing, storeRef } from './storeFile.ts';

/** What is asked of a person before anything is fetched. */
export interface HubOffer {
  readonly reference: HubReference;
  readonly commit: string;
  /** How many files, and how many bytes they have together. */
  readonly files: number;
  readonly bytes: number;
  /** Where it comes from, and the folder that it goes to. */
  readonly endpoint: string;
  readonly cache: string;
  /** Page with its licence. */
  readonly page: string;
  readonly licence?: string;
  readonly isGated: boolean;
}

export interface HubProgress {
  readonly reference: HubReference;
  /** Path in the repository. */
  readonly file: string;
  /** Bytes of all files that are missing: how many there are by now, and have to be. */
  readonly done: number;
  readonly total: number;
}

/** Who looks things up on the hub, and how much is allowed. */
export interface HubSession {
  readonly environment: HubEnvironment;
  /** Asked for only when the hub is. */
  readonly token: () => Promise<string | undefined>;
  readonly signal?: AbortSignal | undefined;
  /** Whether it may be fetched; undefined where nobody can be asked. */
  readonly agree?: ((offer: HubOffer) => Promise<boolean>) | undefined;
  readonly onProgress?: (progress: HubProgress) => void;
  readonly firstPause?: number;
}

/**
 * The absolute path that a reference stands for: the folder of a model's snapshot, the file of a text, each in the cache and of one commit.
 * What the cache has is taken as it is, and nobody is asked; what it has not is fetched where that is agreed to.
 *
 * @throws EspalierError `hub/…`, `io/write`, `cancelled`
 */
export async function locate(text: string, what: 'model' | 'text', session: HubSession): Promise<string> {
  const reference = referenceTo(text, what);
  const found = await findCached(session.environment, reference);
  if ('path' in found) return found.path;
  if (session.environment.isOffline) throw offlineError({ ...session.environment, reference }, found.missing);
  return fetchReference(reference, session);
}

export function referenceTo(text: string, what: 'model' | 'text'): HubReference {
  return what === 'model' ? requireReference(text, parseHubModel, what) : requireReference(text, parseHubText, what);
}

/** As {@link locate}, but asks the hub first which commit its revision is now, and fetches what of that is missing. */
export async function fetchReference(reference: HubReference, session: HubSession): Promise<string> {
  const { environment, signal, firstPause } = session;
  const { endpoint } = environment;
  if (environment.isOffline) throw offlineError({ ...environment, reference }, 'a wish to ask the hub');
  const client: HubClient = {
    ...{ reference, endpoint, environment, signal },
    token: await session.token(),
    ...(firstPause !== undefined && { firstPause }),
  };
  const plan = await planFetch(client);
  if (plan.missing.length > 0) {
    await requireAgreement(plan, session);
    await requireRoom(client, plan);
  }
  await fetchAll(client, plan, session);
  return plan.path;
}

async function requireAgreement({ reference, info, missing, bytes }: FetchPlan, session: HubSession): Promise<void> {
  const { endpoint, cache } = session.environment;
  const offer: HubOffer = {
    ...{ reference, commit: info.commit, files: missing.length, bytes, endpoint: endpointText(endpoint), cache },
    page: hubPage(reference, endpointText(endpoint)),
    ...(info.licence !== undefined && { licence: info.licence }),
    isGated: info.isGated,
  };
  if (session.agree && (await session.agree(offer))) return;
  const what = `${missing.length} ${missing.length === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}`;
  throw hubError(
    { reference },
    {
      code: 'hub/not-agreed',
      expected: 'somebody to agree that it is fetched',
      actual: session.agree ? `a no to ${what}` : `nobody to ask; ${what} are missing in ${cache}`,
      remedy: `Add --download, or fetch it by itself: \`espalier hub download ${printReference(reference)}\`.`,
    },
  );
}

/** Bytes that stay free whatever is fetched. */
const RESERVE = 64 << 20;

async function requireRoom(client: HubClient, { bytes }: FetchPlan): Promise<void> {
  const { cache } = client.environment;
  const free = await freeBytes(cache);
  if (free === undefined || free >= bytes + RESERVE) return;
  throw hubError(client, {
    code: 'hub/disk',
    expected: `room for ${formatBytes(bytes)} in ${cache}`,
    actual: formatBytes(free),
    remedy: 'Make room there, or name a folder on another disk with HF_HUB_CACHE.',
  });
}

/** Of the disk that a folder is on, or will be; undefined where the system does not say. */
async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (thrown) {
    const parent = path.dirname(folder);
    const isAbsent = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    return isAbsent && parent !== folder ? freeBytes(parent) : undefined;
  }
}

/** One after the other: the connection is what takes the time, and what is whole can be used if the rest fails. */
async function fetchAll(client: HubClient, plan: FetchPlan, { onProgress }: HubSession): Promise<void> {
  const { reference, repository, info, files, missing, absent, revision, bytes: total } = plan;
  const snapshot = { repository, commit: info.commit };
  await openSnapshot(client, snapshot);
  let before = 0;
  for (const file of files) {
    const isMissing = missing.includes(file);
    await storeFile(client, snapshot, file, fileAddress(client, info.commit, file.path), (bytes) => {
      if (isMissing) onProgress?.({ reference, file: file.path, done: before + bytes, total });
    });
    if (isMissing) before += file.bytes;
  }
  for (const file of absent) await storeMissing(client, snapshot, file);
  if (revision !== undefined) await storeRef(client, snapshot, revision);
}
