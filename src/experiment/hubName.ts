import { HUB_PREFIX, isHubReference } from './hubReference.ts';

/** What a path in the cache of the Hugging Face hub is called there. */
export interface HubName {
  readonly kind: 'model' | 'dataset';
  readonly id: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** Path in the repository; empty for the whole of it. */
  readonly file: string;
}

const SNAPSHOT = /(?:^|[\\/])(model|dataset)s--([\w.-]+)[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/]+(.*?))?[\\/]*$/;

/** Of `…/models--meta-llama--Llama-2-7b-hf/snapshots/COMMIT` the id and the commit. Undefined for any other path. */
export function hubNameOf(path: string): HubName | undefined {
  const match = SNAPSHOT.exec(path);
  if (match === null) return undefined;
  const [, kind, folder, commit, file = ''] = match;
  const id = idOfFolder(folder!);
  return id === undefined
    ? undefined
    : { kind: kind as HubName['kind'], id, commit: commit!, file: file.replaceAll('\\', '/') };
}

/** `owner--name` in the name of a folder is `owner/name`; names of repositories have no two hyphens in a row. */
export function idOfFolder(folder: string): string | undefined {
  const names = folder.split('--');
  return names.length <= 2 && names.every((name) => name !== '') ? names.join('/') : undefined;
}

/** Digits of a commit that tell it from the others of a repository. */
const SHORT = 12;

/** How a checkpoint or text is called where it says all: its path, or what one writes to have it from the hub again. */
export function inputText(path: string): string {
  const hub = hubNameOf(path);
  if (hub === undefined) return path;
  return `hf:${hub.id}${hub.file === '' ? '' : `/${hub.file}`}@${hub.commit.slice(0, SHORT)}`;
}

/** How a checkpoint or text is called where there is no room for a path or `hf:`: its name on the hub, else that of the file or folder. */
export function inputName(path: string): string {
  const hub = hubNameOf(path);
  if (isHubReference(path)) return path.slice(HUB_PREFIX.length);
  if (hub) return hub.kind === 'model' || hub.file === '' ? hub.id : `${hub.id}/${hub.file}`;
  return (
    path
      .split(/[\\/]/)
      .filter((name) => name !== '')
      .at(-1) ?? path
  );
}
