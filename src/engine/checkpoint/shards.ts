import path from 'node:path';
import { readJsonFile } from './jsonFile.ts';
import { missingWeights } from './missingWeights.ts';
import { sameBytes } from './sameBytes.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import { EspalierError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { SafetensorsFile, TensorEntry } from './safetensors.ts';

/** All tensors of a checkpoint folder and the files that hold them. */
export interface TensorIndex {
  readonly files: readonly SafetensorsFile[];
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

const INDEX = 'model.safetensors.index.json';
const SINGLE = 'model.safetensors';

/**
 * Finds the weights of a checkpoint as Hugging Face lays them out: one `model.safetensors`, or shards that
 * `model.safetensors.index.json` names. Where both exist the single file wins, as in transformers. Without either, all parts of a set
 * (`…-00001-of-00002.safetensors`), or an only file of another name. Links are followed (the Hugging Face cache is made of them); names that
 * leave the folder are refused.
 *
 * @param names of what is in the folder
 * @throws EspalierError `checkpoint/not-found`, `checkpoint/shard-index` or `checkpoint/safetensors`
 */
export async function readTensorIndex(folder: string, names: ReadonlySet<string>): Promise<TensorIndex> {
  if (names.has(SINGLE)) return readSet(folder, [SINGLE]);
  if (names.has(INDEX)) return readShards(folder, names);
  const set = names.has('config.json') ? completeSet(names) : undefined;
  if (set) return readSet(folder, set);
  const { actual, remedy } = await missingWeights(folder, names);
  throw notFound(folder, `${SINGLE} or ${INDEX}`, actual, remedy);
}

/** The folder's safetensors files where they are all parts of one set, or one file; undefined where there may be more, or other ones. */
function completeSet(names: ReadonlySet<string>): readonly string[] | undefined {
  const files = [...names].filter((name) => name.endsWith('.safetensors'));
  if (files.some((name) => NOT_A_MODEL.test(name))) return undefined;
  const parts = files.map((name) => /^(.*?)-?(\d{1,5})-of-(\d{1,5})\.safetensors$/.exec(name));
  if (parts.every((part) => part === null)) return files.length === 1 ? files : undefined;
  const numbers = new Set(parts.map((part) => Number(part?.[2])));
  const isSet =
    new Set(parts.map((part) => part && `${part[1]} ${Number(part[3])}`)).size === 1 &&
    Number(parts[0]?.[3]) === files.length &&
    files.every((_, index) => numbers.has(index + 1));
  return isSet ? files.sort() : undefined;
}

/** Adapters, states of training, and what others than transformers lay out. */
const NOT_A_MODEL = /^(adapter_|consolidated|optimizer|diffusion_)/;

/** Files without an index: what each holds is what its header says. */
async function readSet(folder: string, names: readonly string[]): Promise<TensorIndex> {
  const tensors = new Map<string, TensorEntry>();
  const files: SafetensorsFile[] = [];
  for (const name of names) {
    const file = await readSafetensorsHeader(path.join(folder, name));
    for (const [tensor, entry] of file.tensors) {
      const before = tensors.get(tensor);
      if (before) await requireEqual(before, entry, tensor, entry.file);
      else tensors.set(tensor, entry);
    }
    files.push(file);
  }
  return { files, tensors };
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
  await checkNothingLeftOver(files, tensors, indexFile);
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

/**
 * A tensor that a shard holds and the index does not name means that the two do not belong together. One that several shards hold is one where
 * they agree: programs that know nothing of shared tensors write them more than once.
 */
async function checkNothingLeftOver(
  files: readonly SafetensorsFile[],
  tensors: ReadonlyMap<string, TensorEntry>,
  indexFile: string,
): Promise<void> {
  for (const { file, tensors: held } of files) {
    for (const [name, entry] of held) {
      const claimed = tensors.get(name);
      if (claimed?.file === file) continue;
      if (claimed) await requireEqual(claimed, entry, name, indexFile);
      else
        throw indexError(
          indexFile,
          `${quote(name)} of ${path.basename(file)} in weight_map`,
          'no mention of it',
          DOWNLOAD,
        );
    }
  }
}

async function requireEqual(first: TensorEntry, second: TensorEntry, name: string, file: string): Promise<void> {
  const isAlike = first.dtype === second.dtype && first.shape.join() === second.shape.join();
  if (isAlike && (await sameBytes(first, second))) return;
  const actual = `another in ${path.basename(second.file)} than in ${path.basename(first.file)}`;
  throw indexError(file, `${quote(name)} once, or the same every time`, actual, DOWNLOAD);
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
