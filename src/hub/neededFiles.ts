import type { HubSplit } from '../experiment/hubReference.ts';

/** A file of a repository, by path; how large where that is known. */
export interface NamedFile {
  readonly path: string;
}

const SINGLE = 'model.safetensors';
export const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-\d+-of-\d+\.safetensors$/;

/** Without it a folder is no checkpoint. */
const CONFIG = 'config.json';
export const TOKENIZER = 'tokenizer.json';
/** What a tokenizer.json can be made of, taken where there is none. */
const OTHER_TOKENIZERS = ['tokenizer.model', 'vocab.json', 'merges.txt'];
/** What is read, or goes along into an export, where it is there. */
const COMPANIONS =
  /^(tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|generation_config\.json|chat_template\.(json|jinja)|(licen[cs]e|notice|use_policy)(\.\w+)?|readme\.md)$/i;

/** The files of a model that are needed, or what is missing of it: behind "got". */
export type NeededFiles = { readonly files: readonly string[] } | { readonly problem: string };

/**
 * Of all that a model's repository holds what a checkpoint is: never weights twice, nothing pickled, no other formats.
 *
 * @param shards that the index names, where the repository has no single file
 */
export function modelFiles(all: readonly NamedFile[], shards?: readonly string[]): NeededFiles {
  const names = new Set(all.map(({ path }) => path));
  if (!names.has(CONFIG)) return { problem: `no ${CONFIG}` };
  const weights = weightFiles(names, shards);
  if ('problem' in weights) return weights;
  const companions = [...names].filter((name) => COMPANIONS.test(name));
  const tokenizer = names.has(TOKENIZER) ? [TOKENIZER] : OTHER_TOKENIZERS.filter((name) => names.has(name));
  return { files: [CONFIG, ...tokenizer, ...companions.sort(), ...weights.files] };
}

function weightFiles(names: ReadonlySet<string>, shards: readonly string[] | undefined): NeededFiles {
  if (names.has(SINGLE)) return { files: [SINGLE] };
  if (!names.has(INDEX)) return { problem: otherWeights(names) };
  const wanted = shards ?? [...names].filter((name) => SHARD.test(name)).sort();
  const gone = wanted.find((name) => !names.has(name));
  if (gone !== undefined) return { problem: `${INDEX}, which names ${JSON.stringify(gone)}, without that file` };
  if (wanted.length === 0) return { problem: `${INDEX} alone` };
  return { files: [INDEX, ...wanted] };
}

function otherWeights(names: ReadonlySet<string>): string {
  const other = [...names].sort().find((name) => /\.(bin|pt|pth|gguf|onnx|h5|msgpack|safetensors)$/i.test(name));
  return other === undefined ? 'no weights' : `no ${SINGLE}; weights as ${other}`;
}

/** Names of the shards that an index lists, none of which leads elsewhere. @returns undefined for what is no index */
export function shardsOf(index: unknown): readonly string[] | undefined {
  const map = isRecord(index) ? index['weight_map'] : undefined;
  if (!isRecord(map)) return undefined;
  const shards = [...new Set(Object.values(map))];
  return shards.every((name) => typeof name === 'string' && /^[\w.-]+\.safetensors$/.test(name))
    ? (shards as string[]).sort()
    : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Formats of rows, the best first: a data set that is there in several is taken in the first of them. */
const FORMATS = [/\.parquet$/i, /\.(jsonl?|ndjson)(\.(gz|zst))?$/i, /\.txt(\.(gz|zst))?$/i];

/** What splits are called in names of files (datasets/data_files.py). */
const ALIASES: Readonly<Record<string, string>> = {
  train: 'train|training',
  validation: 'validation|valid|dev|val',
  test: 'test|testing|eval|evaluation',
};

/**
 * The files of a split, by the layouts in use: `CONFIG/test-00000-of-00001.parquet`, `data/CONFIG/test…`, `en/c4-train.00000-of-01024.json.gz`,
 * `CONFIG/test/0000.parquet` (the branch `refs/convert/parquet`), `data/CONFIG-test.parquet`, `ptb.test.txt`.
 *
 * @returns in the order of their numbers; empty where there are none
 */
export function splitFiles(all: readonly NamedFile[], { config, split }: HubSplit): readonly string[] {
  const inSplit = all.map(({ path }) => path).filter((path) => isOfSplit(path, split));
  const places = config === undefined ? ['', 'data', 'default', 'data/default'] : [config, `data/${config}`];
  for (const format of FORMATS) {
    const files = inSplit.filter((path) => format.test(path)).sort();
    for (const place of places) {
      const here = files.filter((path) => [place, joined(place, split)].includes(folderOf(path)));
      if (here.length > 0) return here;
    }
    // Without a folder of its own a configuration stands in the names.
    const named = config === undefined ? [] : files.filter((path) => hasWord(nameOf(path), config));
    if (named.length > 0) return named;
  }
  return [];
}

/** How many files a split has, going by their names: of `c4-train.00003-of-01024.json.gz` 1024, whatever of them is there. */
export function claimedFiles(path: string): number {
  return Number(/-of-(\d+)/.exec(nameOf(path))?.[1] ?? 1);
}

/** Splits that data files are for, as configurations and splits can be named: for a message. */
export function offeredParts(all: readonly NamedFile[]): readonly string[] {
  const files = all.map(({ path }) => path).filter((path) => FORMATS.some((format) => format.test(path)));
  const offered = files.map((path) => {
    const split = ['train', 'validation', 'test'].find((name) => isOfSplit(path, name));
    const own = folderOf(path);
    const folder = (nameOf(own) === split ? folderOf(own) : own).replace(/^data(\/|$)/, '');
    return split === undefined ? `/${path}` : `${folder === '' ? '' : `/${folder}`}:${split}`;
  });
  return [...new Set(offered)].sort();
}

function isOfSplit(path: string, split: string): boolean {
  const words = ALIASES[split] ?? escaped(split);
  const word = new RegExp(`(?:^|[^a-z0-9])(?:${words})(?:[^a-z0-9]|$)`, 'i');
  return word.test(nameOf(path)) || new RegExp(`^(?:${words})$`, 'i').test(nameOf(folderOf(path)));
}

function hasWord(name: string, word: string): boolean {
  return new RegExp(`(?:^|[^a-z0-9])${escaped(word)}(?:[^a-z0-9]|$)`, 'i').test(name);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
