import { createHash } from 'node:crypto';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { sameVersion, untilChangesShow } from '../../files/fileVersion.ts';
import { ADAPTER_CONFIG } from '../../files/adapterBase.ts';
import { hashFile, hashVersion, sha256 } from './hashing.ts';
import { requireTokenizer } from './requireTokenizer.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { readTokenSettings, TOKENIZER_CONFIG } from './tokenSettings.ts';
import type { TokenSettings } from './tokenSettings.ts';

/** What a checkpoint is, by its content. */
export interface CheckpointIdentity {
  /**
   * sha-256, hex, over the names and hashes of config.json, tokenizer.json and every weights file, in the order of their names, and
   * over what tokenizer_config.json says of the tokens at start and end; over an adapter's files as well. Where the folder lies, and what decides no number, does not enter.
   */
  readonly hash: string;
  /** Of its tokenizer alone: {@link tokenizerIdentity}. */
  readonly tokenizer: string;
}

/** What an opened checkpoint has read of its files already. */
export interface OpenedFiles {
  readonly tokenizerFolder: string;
  /** sha-256 of the config.json that was read. */
  readonly configHash: string;
  /** The weights' files whose headers were read. */
  readonly files: readonly SafetensorsFile[];
  /** Of an adapter that is merged into them: sha-256 of its configuration, and its file where it has one of its own. */
  readonly adapter?: { readonly configHash: string; readonly file: string | undefined };
}

/** What of a checkpoint is known without reading its weights. */
export interface SmallFiles {
  /** sha-256, hex, by the names that {@link CheckpointIdentity.hash} is over. */
  readonly hashes: ReadonlyMap<string, string>;
  /** {@link CheckpointIdentity.tokenizer} */
  readonly tokenizer: string;
}

/**
 * Hashes what is small. What is read of the weights from now on is what {@link identifyCheckpoint} will hash, or their versions will differ.
 *
 * @throws EspalierError `checkpoint/tokenizer`, `io/read`, `cancelled`
 */
export async function hashSmallFiles(
  { tokenizerFolder, configHash, files, adapter }: OpenedFiles,
  cacheFolder?: string,
  signal?: AbortSignal,
): Promise<SmallFiles> {
  const hashes = new Map([['config.json', configHash]]);
  if (adapter) hashes.set(`adapter/${ADAPTER_CONFIG}`, adapter.configHash);
  const tokenizerHash = await hashFile(await requireTokenizer(tokenizerFolder), cacheFolder, signal);
  hashes.set('tokenizer.json', tokenizerHash);
  const settings = await readTokenSettings(tokenizerFolder);
  if (Object.keys(settings).length > 0) hashes.set(TOKENIZER_CONFIG, sha256(JSON.stringify(settings)));
  for (const { version } of files) await untilChangesShow(version);
  return { hashes, tokenizer: tokenizerIdentity(tokenizerHash, settings) };
}

/**
 * Identifies the very files that were opened: weights that were replaced since their header was read are refused, and so no hash stands for
 * other bytes than those that are computed with.
 *
 * @throws EspalierError `checkpoint/safetensors`, `io/read`, `cancelled`
 */
export async function identifyCheckpoint(
  { files, adapter }: OpenedFiles,
  small: SmallFiles,
  cacheFolder?: string,
  signal?: AbortSignal,
): Promise<CheckpointIdentity> {
  const hashes = new Map(small.hashes);
  for (const { file, version } of files) {
    const found = await hashVersion(file, cacheFolder, signal);
    if (!sameVersion(found.version, version)) throw replaced(file);
    hashes.set(`${file === adapter?.file ? 'adapter/' : ''}${path.basename(file)}`, found.hash);
  }
  const hash = createHash('sha256');
  for (const name of [...hashes.keys()].sort()) hash.update(`${name}\n${hashes.get(name)!}\n`);
  return { hash: hash.digest('hex'), tokenizer: small.tokenizer };
}

/** sha-256, hex: that of tokenizer.json; where tokenizer_config.json says something of tokens, over that as well. */
export function tokenizerIdentity(tokenizerHash: string, settings: TokenSettings): string {
  return Object.keys(settings).length === 0 ? tokenizerHash : sha256(tokenizerHash + JSON.stringify(settings));
}

function replaced(file: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/safetensors',
    operation: `reading ${file}`,
    expected: 'the file as it was when the checkpoint was opened',
    actual: 'one that has been changed or replaced since',
    remedy: 'Evaluate again, once nothing writes to the checkpoint any more.',
    file,
  });
}
