import path from 'node:path';
import { hubNameOf } from '../experiment/hubName.ts';
import { hubCacheFolder } from '../files/hubFolder.ts';
import { repositoryFolder, snapshotFolder } from '../files/hubCache.ts';
import { isInside } from '../files/inside.ts';
import { portablePath } from '../runs/portablePaths.ts';

/** Before what lies in the cache of the Hugging Face hub, wherever a machine has its own. */
const HUB = 'hub-cache:';

/**
 * A file as it is named over a queue: by its commit where it is in the cache of the hub, relative to the workspace where it lies inside of it, and
 * absolute otherwise.
 *
 * @param root of the workspace; both absolute
 */
export function sharedPath(root: string, file: string): string {
  const hub = hubNameOf(file);
  if (hub) {
    const folder = snapshotFolder(repositoryFolder('.', hub), hub.commit);
    return `${HUB}${portablePath('.', path.join(folder, hub.file))}`;
  }
  if (isInside(root, file)) return portablePath(root, file);
  return file.split(path.sep).join('/');
}

/** Where that file is on this machine, if it is here at all. @param root of the workspace, absolute */
export function localPath(root: string, shared: string): string {
  return shared.startsWith(HUB) ? path.join(hubCacheFolder(), shared.slice(HUB.length)) : path.resolve(root, shared);
}
