import path from 'node:path';
import { ADAPTER_CONFIG, adapterBase } from './adapterBase.ts';
import { snapshotBelow } from './hubCache.ts';
import { readText } from './readBytes.ts';

/**
 * The folders whose files a checkpoint is made of: itself, the snapshot that a folder of the hub's cache means, the base model of an adapter. For
 * those who watch files: what is malformed is left to who reads them.
 *
 * @param folder absolute
 */
export async function checkpointFolders(folder: string): Promise<readonly string[]> {
  const own = await ofSnapshot(folder);
  const base = await baseOf(own.at(-1)!);
  return base === undefined ? own : [...own, ...(await ofSnapshot(base))];
}

async function ofSnapshot(folder: string): Promise<readonly string[]> {
  const snapshot = await snapshotBelow(folder);
  return snapshot === undefined ? [folder] : [folder, snapshot];
}

/** Bytes; real ones have a kilobyte. */
const MAX_CONFIG = 16_000_000;

async function baseOf(folder: string): Promise<string | undefined> {
  try {
    const text = await readText(path.join(folder, ADAPTER_CONFIG), { maxBytes: MAX_CONFIG });
    const { base_model_name_or_path: base, revision } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const asText = (value: unknown): string | undefined =>
      typeof value === 'string' && value !== '' ? value : undefined;
    return await adapterBase(folder, { base: asText(base), revision: asText(revision) });
  } catch {
    return undefined;
  }
}
