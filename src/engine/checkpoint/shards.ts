import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readJsonFile } from './jsonFile.ts';
import { missingFolder, missingWeights } from './missingWeights.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import { EspalierError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import type { SafetensorsFile, TensorEntry } from './safetensors.ts';

/** All tensors of a checkpoint folder and the files that hold them. */
export interface TensorIndex {
  readonly files: readonly SafetensorsFile[];
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

const INDEX = 'model.safetensors.index.json';
const SINGLE = 'model.safetensors';
/** transformers loads it on top of the weights beside it, or on top of those that it names. */
const ADAPTER = 'adapter_config.json';

/**
 * Finds the weights of a checkpoint as Hugging Face lays them out: one `model.safetensors`, or shards that
 * `model.safetensors.index.json` names. Where both exist the single file wins, as in transformers. Links are followed
 * (the Hugging Face cache is made of them); names that leave the folder are refused.
 *
 * @throws EspalierError `checkpoint/not-found`, `checkpoint/shard-index` or `checkpoint/safetensors`
 */
export async function readTensorIndex(folder: string): Promise<TensorIndex> {
  const names = new Set(await listFolder(folder));
  if (names.has(ADAPTER)) throw adapterBeside(folder, names);
  if (names.has(SINGLE)) {
    const single = await readSafetensorsHeader(path.join(folder, SINGLE));
    return { files: [single], tensors: single.tensors };
  }
  if (names.has(INDEX)) return readShards(folder, names);
  const { actual, remedy } = await missingWeights(folder, names);
  throw notFound(folder, `${SINGLE} or ${INDEX}`, actual, remedy);
}

async function readShards(folder: string, names: ReadonlySet<string>): Promise<TensorIndex> {
  const indexFile = path.join(folder, INDEX);
  const tensorsOf = await readWeightMap(indexFile);
  const tensors = new Map<string, TensorEntry>();
  const files: SafetensorsFile[] = [];
  for (const shard of [...tensorsOf.keys()].sort()) {
    if (!names.has(shard)) throw indexError(indexFile, `${shard} beside it`, 'no such file', DOWNLOAD);
    const file = await readSafetensorsHeader(path.join(folder, shard));
    for (const name of tensorsOf.get(shard)!) {
      const entry = file.tensors.get(name);
      if (!entry) throw indexError(indexFile, `${quote(name)} in ${shard}`, 'a shard without it', DOWNLOAD);
      tensors.set(name, entry);
    }
    files.push(file);
  }
  checkNothingLeftOver(files, tensors, indexFile);
  return { files, tensors };
}

/** Shard name → names of its tensors. */
async function readWeightMap(indexFile: string): Promise<Map<string, string[]>> {
  const { weight_map: map } = await readJsonFile(indexFile, 'checkpoint/shard-index', MAX_INDEX);
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw indexError(
      indexFile,
      'weight_map to be an object',
      map === undefined ? 'nothing' : JSON.stringify(map).slice(0, 60),
      DOWNLOAD,
    );
  }
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (!isPlainName(shard)) {
      const actual = `${JSON.stringify(shard).slice(0, 80)} for ${quote(tensor)}`;
      throw indexError(indexFile, 'plain names of .safetensors files in the same folder', actual, UNTRUSTED);
    }
    const tensors = shards.get(shard);
    if (tensors) tensors.push(tensor);
    else shards.set(shard, [tensor]);
  }
  if (shards.size === 0) throw indexError(indexFile, 'at least one tensor in weight_map', 'none', DOWNLOAD);
  return shards;
}

/** Shards of real checkpoints number in the hundreds and tensors in the ten thousands: this leaves a wide margin. */
const MAX_INDEX = 100_000_000;

/** No separators of any system, no drive, no stream, no hidden file: nothing that could name a file elsewhere. */
function isPlainName(name: unknown): name is string {
  return (
    typeof name === 'string' && name.length <= 255 && /^[\w][\w.\- ]*\.safetensors$/u.test(name) && !name.includes('..')
  );
}

/** A tensor that a shard holds and the index does not name, or puts elsewhere, means that the two do not belong together. */
function checkNothingLeftOver(
  files: readonly SafetensorsFile[],
  tensors: ReadonlyMap<string, TensorEntry>,
  indexFile: string,
): void {
  for (const { file, tensors: held } of files) {
    for (const name of held.keys()) {
      const claimed = tensors.get(name);
      if (claimed?.file === file) continue;
      const actual = claimed ? `it in ${path.basename(claimed.file)} as well` : 'no mention of it';
      throw indexError(indexFile, `${quote(name)} of ${path.basename(file)} in weight_map once`, actual, DOWNLOAD);
    }
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    const { actual, remedy } = await missingFolder(folder, reasonOf(thrown));
    throw notFound(folder, 'a folder with config.json, tokenizer.json and *.safetensors', actual, remedy);
  }
}

function adapterBeside(folder: string, names: ReadonlySet<string>): EspalierError {
  const beside = names.has(SINGLE) || names.has(INDEX);
  return notFound(
    folder,
    'weights that stand for themselves',
    beside ? `an adapter (${ADAPTER}) beside the weights` : `an adapter without its base model (${ADAPTER})`,
    beside
      ? 'Merge the adapter into its base model (merge_and_unload) and save the result; or move the adapter elsewhere, if the weights beside it are meant.'
      : 'Merge the adapter into its base model (merge_and_unload) and save the result.',
  );
}

const DOWNLOAD = 'Download the checkpoint again: index and shards do not belong together.';
const UNTRUSTED = 'Do not use this checkpoint: its index names files that it has no business with.';

function quote(name: string): string {
  return JSON.stringify(name).slice(0, 120);
}

function indexError(file: string, expected: string, actual: string, remedy: string): EspalierError {
  return checkpointError('checkpoint/shard-index', file, expected, actual, remedy);
}

function notFound(file: string, expected: string, actual: string, remedy: string): EspalierError {
  return checkpointError('checkpoint/not-found', file, expected, actual, remedy);
}

function checkpointError(
  code: ErrorCode,
  file: string,
  expected: string,
  actual: string,
  remedy: string,
): EspalierError {
  return new EspalierError({ code, operation: `reading ${file}`, expected, actual, remedy, file });
}
