import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { readText } from '../../files/readBytes.ts';
import { hubIdOf, hubRemedy, readMissingPath } from '../../files/missingPath.ts';

/** Why a folder is no checkpoint: behind "got", and what to do. */
export interface MissingWeights {
  readonly actual: string;
  readonly remedy: string;
}

interface OtherFormat {
  readonly pattern: RegExp;
  readonly what: string;
  readonly remedy: string;
}

const CONVERT = 'save_pretrained(…, safe_serialization=True)';

/** What other formats a folder may hold instead, and what to do about each. */
const OTHER_FORMATS: readonly OtherFormat[] = [
  {
    pattern: /^consolidated.*\.(safetensors|pth)$|^params\.json$/,
    what: 'weights in Meta’s or Mistral’s own layout',
    remedy:
      'Download the version for transformers (config.json and model*.safetensors), or convert with transformers’ convert_llama_weights_to_hf.py or convert_mistral_weights_to_hf.py.',
  },
  {
    pattern: /\.(gguf|ggml)$/i,
    what: 'GGUF weights',
    remedy: 'GGUF weights are made for llama.cpp, mostly quantised: download the original safetensors checkpoint.',
  },
  {
    pattern:
      /^(pytorch_model.*|.*mp_rank_.*|training_args)\.bin$|\.(pt|pth|ckpt|pkl|pickle)$|^pytorch_model\.bin\.index\.json$/i,
    what: 'PyTorch weights',
    remedy: `Pickled files can run code when they are loaded, so Espalier never does: convert them with ${CONVERT}, or download the safetensors version.`,
  },
  {
    pattern: /\.(h5|msgpack|onnx|npz|mlmodel|tflite)$|^onnx$/i,
    what: 'weights in another format',
    remedy: `Download the safetensors version, or convert with ${CONVERT}.`,
  },
  {
    pattern: /^adapter_(model\.(safetensors|bin)|config\.json)$/,
    what: 'an adapter without its base model',
    remedy: 'Merge the adapter into its base model (merge_and_unload) and save the result.',
  },
];

/** @param names of the files in the folder, none of them weights under the names that they should have */
export async function missingWeights(folder: string, names: ReadonlySet<string>): Promise<MissingWeights> {
  for (const { pattern, what, remedy } of OTHER_FORMATS) {
    const found = [...names].sort().find((name) => pattern.test(name));
    if (found !== undefined) return { actual: `${what} (${found})`, remedy };
  }
  const others = [...names].filter((name) => name.endsWith('.safetensors')).sort();
  if (others.length > 0) return otherSafetensors(others);
  const inside = await checkpointsInside(folder);
  if (inside.length > 0) return folderAbove(inside);
  if (names.has('blobs') && names.has('refs')) {
    return { actual: 'a folder of the hub’s cache without a snapshot', remedy: 'Download the model again.' };
  }
  return { actual: 'neither', remedy: 'Download the weights of the checkpoint into this folder.' };
}

/** @param folder that cannot be listed @param problem what the file system says */
export async function missingFolder(folder: string, problem: string): Promise<MissingWeights> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isFile()) return fileInside(folder);
  const actual = found?.isDirectory() === false ? 'a pipe or a device' : problem;
  if (found) return { actual, remedy: 'Check the path of the checkpoint.' };
  const meant = await readMissingPath(folder);
  if (meant) return meant;
  const above = await stat(path.dirname(folder)).catch(() => undefined);
  if (above?.isFile()) return fileInside(path.dirname(folder));
  const id = await hubIdOf(folder);
  if (id === undefined) return { actual: 'no such folder', remedy: 'Check the path of the checkpoint.' };
  return {
    actual: 'no such folder',
    remedy: `Check the path. If ${id} is a name of the Hugging Face hub: ${lowerFirst(hubRemedy(id))}`,
  };
}

function fileInside(file: string): MissingWeights {
  const format = OTHER_FORMATS.find(({ pattern }) => pattern.test(path.basename(file)));
  if (format) return { actual: `a file: ${format.what}`, remedy: format.remedy };
  if (/\.(zip|tar|tgz|gz|zst|7z|xz|bz2)$/i.test(file)) {
    return { actual: 'an archive', remedy: 'Unpack it, and name the folder that comes of it.' };
  }
  return { actual: 'a file', remedy: `Name the folder that holds the file: ${path.dirname(file)}.` };
}

function otherSafetensors(others: readonly string[]): MissingWeights {
  const actual = `only ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}`;
  const shards = /-of-0*(\d+)\.safetensors$/.exec(others[0]!);
  if (shards && Number(shards[1]) > others.length) {
    return { actual, remedy: 'Download the other shards as well, and model.safetensors.index.json, which names them.' };
  }
  if (others.length === 1) {
    return {
      actual,
      remedy: 'Download config.json as well, or the weights themselves where this file is something else.',
    };
  }
  return { actual, remedy: 'Download model.safetensors.index.json as well: it says what each shard holds.' };
}

function folderAbove(inside: readonly string[]): MissingWeights {
  const isHub = inside.some((folder) => path.basename(path.dirname(folder)) === 'snapshots');
  const what = isHub ? 'the folder of the hub’s cache above a snapshot' : 'a folder above a checkpoint';
  const more = inside.length > 1 ? ` (of ${inside.length}, the others beside it)` : '';
  return { actual: what, remedy: `Name the ${isHub ? 'snapshot' : 'checkpoint'}: ${inside[0]}${more}.` };
}

/** Folders of checkpoints one level below, or in `snapshots`; of the hub's cache first the one that `main` is. */
async function checkpointsInside(folder: string): Promise<string[]> {
  const main = await mainOf(folder);
  const found: string[] = [];
  for (const above of [path.join(folder, 'snapshots'), folder]) {
    for (const name of (await readdir(above).catch((): string[] => [])).slice(0, MOST_FOLDERS).sort()) {
      const inner = await readdir(path.join(above, name)).catch((): string[] => []);
      if (inner.includes('config.json')) found.push(path.join(above, name));
    }
  }
  return found.sort((a, b) => Number(path.basename(b) === main) - Number(path.basename(a) === main));
}

/** Of a folder with more in it, only the first ones are looked into. */
const MOST_FOLDERS = 200;

/** The commit that the branch `main` of a repository in the hub's cache was at. */
async function mainOf(repository: string): Promise<string | undefined> {
  const isSnapshots = path.basename(repository) === 'snapshots';
  const refs = path.join(isSnapshots ? path.dirname(repository) : repository, 'refs', 'main');
  return readText(refs, { maxBytes: 1024 }).then(
    (commit) => commit.trim(),
    () => undefined,
  );
}

function lowerFirst(text: string): string {
  return `${text[0]!.toLowerCase()}${text.slice(1)}`;
}
