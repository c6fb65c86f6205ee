import { createHash } from 'node:crypto';
import path from 'node:path';
import { hashFile } from './hashing.ts';
import type { SafetensorsFile } from './safetensors.ts';

/**
 * sha-256, hex, of a checkpoint: over the names and hashes of config.json, tokenizer.json and every weights file, in the
 * order of their names. Where the folder lies, and files that decide no number, do not enter.
 */
export async function hashCheckpoint(
  folder: string,
  files: readonly SafetensorsFile[],
  cacheFolder?: string,
  signal?: AbortSignal,
): Promise<string> {
  const names = ['config.json', 'tokenizer.json', ...files.map(({ file }) => path.basename(file))].sort();
  const hash = createHash('sha256');
  for (const name of names) {
    hash.update(`${name}\n${await hashFile(path.join(folder, name), cacheFolder, signal)}\n`);
  }
  return hash.digest('hex');
}
