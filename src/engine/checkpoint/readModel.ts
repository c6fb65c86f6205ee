import path from 'node:path';
import { type ComputedTensors, computedTensors } from './computedTensors.ts';
import { ESPALIER_KEY } from './configBlocks.ts';
import { type CheckpointFolders, findCheckpoint } from './findCheckpoint.ts';
import type { OpenedFiles } from './identity.ts';
import { type Adapter, mergedTensors, unwrapped } from './mergedTensors.ts';
import type { ModelTensor } from './modelTensor.ts';
import { parseConfig, type ReadConfig, readConfig } from './readConfig.ts';
import { removedLayout } from './removedLayout.ts';
import { readSafetensorsHeader, type SafetensorsFile, type TensorEntry } from './safetensors.ts';
import { readTensorIndex } from './shards.ts';
import { namedTensors } from './tensorNames.ts';
import { OTHER_PARTS } from './textPart.ts';
import type { ModelConfig } from '../families/families.ts';
import type { JsonFields } from '../families/family.ts';

/** What the files of a folder say, before anything but headers is read. */
export interface ReadModel {
  readonly folder: string;
  readonly tokenizerFolder: string;
  readonly config: ModelConfig;
  readonly values: JsonFields;
  readonly tensors: ReadonlyMap<string, ModelTensor>;
  readonly files: readonly SafetensorsFile[];
  readonly notes: readonly string[];
  readonly opened: OpenedFiles;
}

/**
 * From what is stored to what a model is made of, in four steps: weights times their masks and scales, under the family's names, with an adapter
 * merged in, and in the sizes that the tensors have.
 *
 * @param folder absolute
 * @throws EspalierError `checkpoint/…`
 */
export async function readModel(folder: string): Promise<ReadModel> {
  const found = await findCheckpoint(folder);
  const index = await readTensorIndex(found.folder, found.names);
  const read = await readConfig(found.folder);
  const adapterFile = found.adapter?.file === undefined ? undefined : await readSafetensorsHeader(found.adapter.file);
  const { model, adapter } = partsOf(found, index.tensors, adapterFile);
  const computed = computedTensors(withoutOtherParts(model, read), read.scaleBlock);
  const named = namedTensors(computed.tensors, read.config);
  const tensors = adapter ? mergedTensors(named, adapter, read.config) : named;
  const { config, values, removed } = inTheirSizes(tensors, read);
  const files = [...index.files, ...(adapterFile ? [adapterFile] : [])];
  const { tokenizerFolder } = found;
  return {
    ...{ folder: found.folder, tokenizerFolder, config, values, tensors, files },
    notes: notesOf(found, read, computed, removed),
    opened: {
      tokenizerFolder,
      configHash: read.hash,
      files,
      ...(found.adapter && { adapter: { configHash: found.adapter.config.hash, file: adapterFile?.file } }),
    },
  };
}

/** The model's own tensors and an adapter's, which may be in a file of their own or among them: not merged, and saved with the model. */
function partsOf(
  { adapter }: CheckpointFolders,
  stored: ReadonlyMap<string, TensorEntry>,
  file: SafetensorsFile | undefined,
): { readonly model: ReadonlyMap<string, TensorEntry>; readonly adapter?: Adapter } {
  if (!adapter) return { model: stored };
  if (file) return { model: stored, adapter: { config: adapter.config, tensors: file.tensors } };
  const isAdapters = (name: string): boolean => /\.(lora_|modules_to_save\.)/.test(name);
  const own = [...stored].filter(([name]) => !isAdapters(name));
  return {
    model: new Map(own.map(([name, entry]) => [unwrapped(name).replace(/\.original_module(?=\.)/, ''), entry])),
    adapter: { config: adapter.config, tensors: new Map([...stored].filter(([name]) => isAdapters(name))) },
  };
}

function withoutOtherParts(stored: ReadonlyMap<string, TensorEntry>, { partOf }: ReadConfig) {
  return partOf === undefined ? stored : new Map([...stored].filter(([name]) => !OTHER_PARTS.test(name)));
}

/**
 * Programs that remove heads and channels often leave config.json as it was: where the tensors say which are left, it is read as if it said so.
 * Of fewer rows in all blocks alike nobody knows whether heads are fewer or smaller, but where the size of a head is written.
 */
function inTheirSizes(tensors: ReadonlyMap<string, ModelTensor>, { config, values, file }: ReadConfig) {
  const removed = values[ESPALIER_KEY] === undefined ? removedLayout(tensors, config) : undefined;
  const unsure = removed?.headsAlike === true && typeof values['head_dim'] !== 'number';
  if (!removed || unsure || !ANY_HEADS[config.positions.kind]) return { config, values };
  const written = { ...values, [ESPALIER_KEY]: removed.key };
  return { config: parseConfig(written, file), values: written, removed: removed.what };
}

/** Whether a head computes the same whichever of the model's it was. */
const ANY_HEADS: Readonly<Record<ModelConfig['positions']['kind'], boolean>> = {
  rotary: true,
  learned: true,
  alibi: false,
};

function notesOf(
  { folder, adapter }: CheckpointFolders,
  { partOf }: ReadConfig,
  { counts }: ComputedTensors,
  removed: string | undefined,
): readonly string[] {
  return [
    ...(partOf === undefined ? [] : [`the language part of a ${partOf}`]),
    ...(counts.masked > 0 ? [`${counts.masked} ${counts.masked === 1 ? 'tensor' : 'tensors'} times their masks`] : []),
    ...(counts.scaled > 0
      ? [`${counts.scaled} ${counts.scaled === 1 ? 'matrix' : 'matrices'} of 8 bits times their scales`]
      : []),
    ...(adapter ? [`the adapter ${nameOf(path.dirname(adapter.config.file))} merged into ${nameOf(folder)}`] : []),
    ...(removed === undefined ? [] : [removed]),
  ];
}

/** What a folder is called, without where it lies: notes go along with exports. Of a snapshot in the hub's cache the model's name there. */
function nameOf(folder: string): string {
  const [repository, snapshots] = folder.split(path.sep).slice(-3);
  return snapshots === 'snapshots' && repository?.startsWith('models--')
    ? repository.slice('models--'.length).replaceAll('--', '/')
    : path.basename(folder);
}
