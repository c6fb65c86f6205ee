import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type AdapterConfig, readAdapterConfig } from './adapterConfig.ts';
import { missingFolder } from './missingWeights.ts';
import { EspalierError } from '../../base/errors.ts';
import { ADAPTER_CONFIG, adapterBase } from '../../files/adapterBase.ts';
import { snapshotBelow } from '../../files/hubCache.ts';
import { reasonOf } from '../../files/fileProblem.ts';

/** Where the files of a model are. */
export interface CheckpointFolders {
  /** With config.json and the weights. */
  readonly folder: string;
  /** What is in it. */
  readonly names: ReadonlySet<string>;
  readonly adapter?: {
    readonly config: AdapterConfig;
    /** With its tensors; undefined where these are among the model's. */
    readonly file: string | undefined;
  };
  /** With tokenizer.json: the adapter's where it has one. */
  readonly tokenizerFolder: string;
}

const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/**
 * Finds the files that a folder means: its own; of a folder of the hub's cache those of its snapshot; of an adapter (PEFT) also those of the base
 * model that it names, a folder or a model in the hub's cache.
 *
 * @param folder absolute
 * @throws EspalierError `checkpoint/not-found`, `checkpoint/config`
 */
export async function findCheckpoint(folder: string): Promise<CheckpointFolders> {
  const found = await listCheckpoint(folder);
  if (!found.names.has(ADAPTER_CONFIG)) return { ...found, tokenizerFolder: found.folder };
  const config = await readAdapterConfig(found.folder);
  const ownWeights = found.names.has(ADAPTER_WEIGHTS);
  if (hasModel(found.names)) {
    const isOwnBase = ownWeights && (await adapterBase(found.folder, config)) === found.folder;
    if (ownWeights && !isOwnBase) throw adapterBeside(found.folder);
    const file = isOwnBase ? path.join(found.folder, ADAPTER_WEIGHTS) : undefined;
    return { ...withoutAdapter(found), adapter: { config, file }, tokenizerFolder: found.folder };
  }
  if (!ownWeights) throw noAdapterWeights(found);
  const base = await adapterBase(found.folder, config);
  if (base === undefined) throw noBase(config);
  const model = await listCheckpoint(base);
  if (model.names.has(ADAPTER_CONFIG)) throw adapterOfAdapter(config, base);
  return {
    ...model,
    adapter: { config, file: path.join(found.folder, ADAPTER_WEIGHTS) },
    tokenizerFolder: found.names.has('tokenizer.json') ? found.folder : model.folder,
  };
}

type Listed = Pick<CheckpointFolders, 'folder' | 'names'>;

async function listCheckpoint(folder: string): Promise<Listed> {
  const names = new Set(await listFolder(folder));
  const snapshot = names.has('config.json') ? undefined : await snapshotBelow(folder);
  return snapshot === undefined ? { folder, names } : { folder: snapshot, names: new Set(await listFolder(snapshot)) };
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    const { actual, remedy } = await missingFolder(folder, reasonOf(thrown));
    throw notFound(folder, 'a folder with config.json, tokenizer.json and *.safetensors', actual, remedy);
  }
}

function hasModel(names: ReadonlySet<string>): boolean {
  return [...names].some((name) => name === 'model.safetensors.index.json' || /^model.*\.safetensors$/.test(name));
}

/** The adapter's file is none of the model's. */
function withoutAdapter({ folder, names }: Listed): Listed {
  return { folder, names: new Set([...names].filter((name) => name !== ADAPTER_WEIGHTS)) };
}

const MERGE = 'Merge the adapter into its base model (merge_and_unload of PEFT) and save the result';

function adapterBeside(folder: string): EspalierError {
  return notFound(
    folder,
    'weights that stand for themselves, or an adapter of another folder’s',
    `an adapter (${ADAPTER_CONFIG}) beside the weights`,
    `${MERGE}; or move the adapter elsewhere, if the weights beside it are meant; or name them as its base: "base_model_name_or_path": "./".`,
  );
}

function noAdapterWeights({ folder, names }: Listed): EspalierError {
  const pickled = names.has('adapter_model.bin');
  return notFound(
    folder,
    ADAPTER_WEIGHTS,
    pickled ? 'an adapter that is pickled (adapter_model.bin)' : 'an adapter without weights',
    pickled
      ? 'Pickled files can run code when they are loaded, so Espalier never does: save the adapter with PEFT’s save_pretrained.'
      : 'Download the weights of the adapter into this folder.',
  );
}

function noBase({ file, base, revision }: AdapterConfig): EspalierError {
  const isId = base !== undefined && /^\w[\w.-]*(\/\w[\w.-]*)?$/.test(base);
  const at = revision === undefined ? '' : ` --revision ${revision}`;
  return notFound(
    file,
    'the base model of the adapter: an absolute path, one that begins with ./, or a model in the hub’s cache',
    base === undefined ? 'no base_model_name_or_path' : `"${base.slice(0, 120)}", which is none of these here`,
    isId
      ? `Download it (\`hf download ${base}${at}\`), or write the path of its folder into base_model_name_or_path.`
      : 'Write the path of its folder into base_model_name_or_path.',
  );
}

function adapterOfAdapter({ file }: AdapterConfig, base: string): EspalierError {
  return notFound(file, 'a base model', `another adapter: ${base}`, `${MERGE}, one after the other.`);
}

function notFound(file: string, expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/not-found',
    operation: `reading ${file}`,
    expected,
    actual,
    remedy,
    file,
  });
}
