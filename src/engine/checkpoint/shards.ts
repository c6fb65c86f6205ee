import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { readJsonFile } from './jsonFile.ts';
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
 * `model.safetensors.index.json` names. Where both exist the single file wins, as in transformers. Links are followed
 * (the Hugging Face cache is made of them); names that leave the folder are refused.
 *
 * @throws EspalierError `checkpoint/not-found`, `checkpoint/shard-index` or `checkpoint/safetensors`
 */
export async function readTensorIndex(folder: string): Promise<TensorIndex> {
  const names = new Set(await listFolder(folder));
  if (names.has(SINGLE)) {
    const single = await readSafetensorsHeader(path.join(folder, SINGLE));
    return { files: [single], tensors: single.tensors };
  }
  if (names.has(INDEX)) return readShards(folder, names);
  throw noWeights(folder, names);
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
    const isFile = await stat(folder).then(
      (found) => found.isFile(),
      () => false,
    );
    throw notFound(
      folder,
      'a folder with config.json, tokenizer.json and *.safetensors',
      isFile ? 'a file' : thrown instanceof Error ? thrown.message : String(thrown),
      isFile ? 'Name the folder that holds the file.' : 'Check the path of the checkpoint.',
    );
  }
}

/** What other formats a folder may hold instead, and what to do about each. */
const OTHER_FORMATS: readonly { readonly pattern: RegExp; readonly what: string; readonly remedy: string }[] = [
  {
    pattern: /\.gguf$/i,
    what: 'GGUF weights',
    remedy: 'GGUF weights are quantised for llama.cpp: download the original safetensors checkpoint.',
  },
  {
    pattern: /^(pytorch_model.*\.bin|consolidated.*\.pth|.*\.pt)$/i,
    what: 'PyTorch weights',
    remedy:
      'Pickled files can run code when they are loaded, so Espalier never does: convert them with save_pretrained(…, safe_serialization=True), or download the safetensors version.',
  },
  {
    pattern: /\.(h5|msgpack|onnx|npz)$/i,
    what: 'weights in another format',
    remedy: 'Download the safetensors version, or convert with save_pretrained(…, safe_serialization=True).',
  },
  {
    pattern: /^adapter_(model\.safetensors|config\.json)$/,
    what: 'an adapter without its base model',
    remedy: 'Merge the adapter into its base model (merge_and_unload) and save the result.',
  },
];

function noWeights(folder: string, names: ReadonlySet<string>): EspalierError {
  const expected = `${SINGLE} or ${INDEX}`;
  for (const { pattern, what, remedy } of OTHER_FORMATS) {
    const found = [...names].find((name) => pattern.test(name));
    if (found !== undefined) return notFound(folder, expected, `${what} (${found})`, remedy);
  }
  const others = [...names].filter((name) => name.endsWith('.safetensors')).sort();
  if (others.length > 0) {
    return notFound(
      folder,
      expected,
      `only ${others.slice(0, 3).join(', ')}`,
      others.length === 1
        ? `Rename the file to ${SINGLE}.`
        : `Download ${INDEX} as well: it says what each shard holds.`,
    );
  }
  return notFound(folder, expected, 'neither', 'Download the weights of the checkpoint into this folder.');
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
