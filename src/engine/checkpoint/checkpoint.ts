import path from 'node:path';
import { byteLength, elementCount, isFloatType, UNQUANTISED } from './elementTypes.ts';
import { hashSmallFiles, identifyCheckpoint } from './identity.ts';
import type { CheckpointIdentity, SmallFiles } from './identity.ts';
import type { ModelTensor } from './modelTensor.ts';
import { readModel } from './readModel.ts';
import { TensorReader } from './tensorReader.ts';
import { EspalierError } from '../../base/errors.ts';
import { isSettled } from '../../files/fileVersion.ts';
import type { ModelConfig } from '../families/families.ts';
import type { JsonFields } from '../families/family.ts';

/** What a forward pass reads of a model: a checkpoint, or one that something was removed from. */
export type ModelTensors = Pick<Checkpoint, 'config' | 'read' | 'readRows'>;

/** An opened checkpoint folder. Nothing but headers is in memory; tensors are read when asked for. */
export interface Checkpoint {
  /** Absolute path of the folder with config.json and the weights: that of an adapter's base model, of a snapshot in the hub's cache. */
  readonly folder: string;
  /** With tokenizer.json, and what else goes along with a model that is written: the same but where an adapter has its own. */
  readonly tokenizerFolder: string;
  readonly config: ModelConfig;
  /** The fields of config.json that {@link config} comes from, as a folder of plain weights says it. */
  readonly values: JsonFields;
  /** By the names that the family has for them, whatever the files call them. */
  readonly tensors: ReadonlyMap<string, ModelTensor>;
  /** What was made of the files beyond reading them, for people. */
  readonly notes: readonly string[];
  /**
   * Reads a tensor as float32, row-major: bf16 and f16 widened exactly.
   *
   * @param into where to put it (as many elements as the shape has); a new array otherwise.
   * @throws EspalierError `checkpoint/tensor` when it is missing, has another shape or no float type; `checkpoint/safetensors`
   * when the file has changed or ends early.
   */
  read(name: string, shape: readonly number[], into?: Float32Array): Float32Array;
  /** The rows `first … first + count − 1` of a matrix of this shape: how embeddings are read that are too large at once. */
  readRows(
    name: string,
    shape: readonly [number, number],
    first: number,
    count: number,
    into?: Float32Array,
  ): Float32Array;
  /**
   * Elements of a tensor in its own type, from element `first` on, as many as fill `into`: bit by bit as they are stored, or computed and
   * rounded to that type.
   */
  readBytes(name: string, shape: readonly number[], first: number, into: Uint8Array): void;
  /** Changes whenever one of the weights' files is written to or replaced, with the same bytes as well. */
  readonly version: string;
  /** Whether any later change of them would show in it: not right after one was written. See {@link isSettled}. */
  readonly isSettled: boolean;
  /** {@link hashSmallFiles} @throws EspalierError `checkpoint/tokenizer`, `io/read`, `cancelled` */
  smallFiles(signal?: AbortSignal): Promise<SmallFiles>;
  /** What it is by the content of its files. @throws EspalierError `checkpoint/…`, `io/read`, `cancelled` */
  identity(signal?: AbortSignal): Promise<CheckpointIdentity>;
  /** Closes the files. A later read opens them again. */
  close(): void;
}

export interface CheckpointOptions {
  /** Where hashes of large files are remembered; nothing is remembered without it. */
  readonly cacheFolder?: string | undefined;
}

/**
 * Opens a Hugging Face checkpoint folder as it is: config.json and the headers of its safetensors files, all checked.
 *
 * @throws EspalierError with a code `checkpoint/…` that names the file at fault and the remedy.
 */
export async function openCheckpoint(folder: string, options: CheckpointOptions = {}): Promise<Checkpoint> {
  const opened = Date.now();
  const model = await readModel(path.resolve(folder));
  const { config, tensors, files } = model;
  const reader = new TensorReader(files);

  const readElements = (name: string, shape: readonly number[], first: number, into: Float32Array): Float32Array => {
    reader.read(name, findTensor(tensors, name, shape, model.folder), first, into);
    return into;
  };

  let small: SmallFiles | undefined;
  // What was read before the first tensor stays what it is identified with.
  const smallFiles = async (signal?: AbortSignal): Promise<SmallFiles> =>
    (small ??= await hashSmallFiles(model.opened, options.cacheFolder, signal));

  return {
    folder: model.folder,
    tokenizerFolder: model.tokenizerFolder,
    config,
    values: model.values,
    tensors,
    notes: model.notes,
    read(name, shape, into) {
      findTensor(tensors, name, shape, model.folder);
      return readElements(name, shape, 0, target(name, elementCount(shape)!, into));
    },
    readRows(name, shape, first, count, into) {
      findTensor(tensors, name, shape, model.folder);
      if (first < 0 || count < 0 || first + count > shape[0]) {
        throw invariant(name, `rows inside the ${shape[0]} there are`, `${first} to ${first + count}`);
      }
      return readElements(name, shape, first * shape[1], target(name, count * shape[1], into));
    },
    readBytes(name, shape, first, into) {
      const tensor = findTensor(tensors, name, shape, model.folder);
      const [total, count] = [elementCount(shape)!, into.length / byteLength(tensor.dtype, 1)!];
      if (first < 0 || !Number.isInteger(count) || first + count > total) {
        throw invariant(name, `elements inside the ${total} there are`, `${first} to ${first + count}`);
      }
      reader.readBytes(name, tensor, first, into);
    },
    smallFiles,
    isSettled: files.every(({ version }) => isSettled(version, opened)),
    version: files.map(({ version }) => Object.values(version).join(' ')).join(', '),
    identity: async (signal) => identifyCheckpoint(model.opened, await smallFiles(signal), options.cacheFolder, signal),
    close() {
      reader.close();
    },
  };
}

/** Existence and shape are checked before anything is allocated. */
function findTensor(
  tensors: ReadonlyMap<string, ModelTensor>,
  name: string,
  shape: readonly number[],
  folder: string,
): ModelTensor {
  const entry = tensors.get(name);
  const expected = `${name} of shape [${shape.join(', ')}]`;
  if (!entry) throw wrongTensor(folder, name, expected, 'no tensor of this name', BELONG);
  if (entry.shape.length !== shape.length || entry.shape.some((extent, axis) => extent !== shape[axis])) {
    throw wrongTensor(entry.file, name, expected, `shape [${entry.shape.join(', ')}]`, BELONG);
  }
  if (!isFloatType(entry.dtype)) {
    throw wrongTensor(entry.file, name, 'elements of type BF16, F16, F32 or F64', entry.dtype, UNQUANTISED);
  }
  return entry;
}

function target(name: string, length: number, into: Float32Array | undefined): Float32Array {
  if (!into) return new Float32Array(length);
  if (into.length !== length) throw invariant(name, `room for ${length} elements`, `${into.length}`);
  return into;
}

const BELONG = 'Download the checkpoint again: its weights do not belong to its config.json.';

function wrongTensor(file: string, name: string, expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `reading ${name}`,
    expected,
    actual,
    remedy,
    file,
  });
}

function invariant(name: string, expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: `reading ${name}`,
    expected,
    actual,
    remedy: 'This is a defect of Espalier: please report it.',
  });
}
