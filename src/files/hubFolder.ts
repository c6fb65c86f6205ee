import { homedir } from 'node:os';
import path from 'node:path';

/** Of the environment. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Python's cache of the hub, as its library finds it (huggingface_hub/constants.py): absolute, whether or not it is there. */
export function hubCacheFolder(variables: Variables = process.env): string {
  const own = said(variables, 'HF_HUB_CACHE') ?? said(variables, 'HUGGINGFACE_HUB_CACHE');
  return own === undefined ? path.join(hubHome(variables), 'hub') : placeOf(own, variables);
}

/** Where the library `datasets` keeps its own copies, as streams of Arrow (datasets/config.py). */
export function dataSetsFolder(variables: Variables = process.env): string {
  const own = said(variables, 'HF_DATASETS_CACHE');
  return own === undefined ? path.join(hubHome(variables), 'datasets') : placeOf(own, variables);
}

/** Where that library keeps what else it has, the token among it. */
export function hubHome(variables: Variables): string {
  const own = said(variables, 'HF_HOME');
  if (own !== undefined) return placeOf(own, variables);
  return path.join(placeOf(said(variables, 'XDG_CACHE_HOME') ?? '~/.cache', variables), 'huggingface');
}

/** Python's library puts in `~` and variables, which shells leave alone in some places. */
export function placeOf(written: string, variables: Variables): string {
  const home = variables['HOME'] ?? variables['USERPROFILE'] ?? homedir();
  const place = written
    .replace(/^~(?=$|[\\/])/, () => home)
    .replace(/\$(?:(\w+)|\{(\w+)\})/g, (all, plain?: string, braced?: string) => variables[plain ?? braced!] ?? all);
  return path.resolve(place);
}

/** Shells unset by emptying, too. */
export function said(variables: Variables, name: string): string | undefined {
  const value = variables[name]?.trim();
  return value === '' ? undefined : value;
}
