import path from 'node:path';
import { cachedSnapshot } from './hubCache.ts';

export const ADAPTER_CONFIG = 'adapter_config.json';

/** What an adapter says of the model that it adapts. */
export interface BaseOfAdapter {
  /** `base_model_name_or_path`. */
  readonly base: string | undefined;
  readonly revision: string | undefined;
}

/**
 * The folder of an adapter's base model. It is named as a folder (absolute, or beginning with a dot, from the adapter's own), or by its name on the
 * hub, which is looked up in Python's cache. Other relative paths start where the adapter was trained, and nobody knows where that is.
 *
 * @param folder of the adapter, absolute
 */
export async function adapterBase(folder: string, { base, revision }: BaseOfAdapter): Promise<string | undefined> {
  if (base === undefined) return undefined;
  // Listing a folder of another machine would sign on to it.
  if (/^(\\\\|\/\/)/.test(base)) return undefined;
  if (path.isAbsolute(base)) return path.resolve(base);
  if (/^\.{1,2}([\\/]|$)/.test(base)) return path.resolve(folder, base);
  return /^\w[\w.-]*(\/\w[\w.-]*)?$/.test(base) ? cachedSnapshot(base, revision) : undefined;
}
