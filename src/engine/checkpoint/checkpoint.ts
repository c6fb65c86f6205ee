import path from 'node:path';
import { readConfig } from './readConfig.ts';
import { elementCount } from './elementTypes.ts';
import { identifyCheckpoint } from './identity.ts';
import type { CheckpointIdentity } from './identity.ts';
import { readTensorIndex } from './shards.ts';
import { namedTensors } from './tensorNames.ts';
import { TensorFile } from './tensorFile.ts';
import { EspalierError } from '../../base/errors.ts';
import type { ModelConfig } from '../families/families.ts';
import type { TensorEntry } from './safetensors.ts';

/** What a forward pass reads of a model: a checkpoint, or one that something was removed from. */
export type ModelTensors = Pick<Checkpoint, 'config' | 'read' | 'readRows'>;

/** An opened checkpoint folder. Nothing but headers is in memory; tensors are read when asked for. */
export interface Checkpoint {
  /** Absolute path. */
  readonly folder: string;
  readonly config: ModelConfig;
  /** By the names that the family has for them, whatever the files call them. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
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
  /** Bytes of a tensor as they are stored, from byte `first` of its data on, as many as `into` takes. */
  readBytes(name: string, shape: readonly number[], first: number, into: Uint8Array): void;
  /** Changes whenever one of the weights' files is written to or replaced, with the same bytes as well. */
  readonly version: string;
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
  const absolute = path.resolve(folder);
  const { files, tensors: stored } = await readTensorIndex(absolute);
  const { config, hash: configHash } = await readConfig(absolute);
  const tensors = namedTensors(stored, config);
  const readers = new Map(files.map((file) => [file.file, new TensorFile(file)]));

  const readElements = (name: string, shape: readonly number[], first: number, into: Float32Array): Float32Array => {
    const entry = findTensor(tensors, name, shape, absolute);
    readers.get(entry.file)!.read(name, entry, first, into);
    return into;
  };

  return {
    folder: absolute,
    config,
    tensors,
    read(name, shape, into) {
      findTensor(tensors, name, shape, absolute);
      return readElements(name, shape, 0, target(name, elementCount(shape)!, into));
    },
    readRows(name, shape, first, count, into) {
      findTensor(tensors, name, shape, absolute);
      if (first < 0 || count < 0 || first + count > shape[0]) {
        throw invariant(name, `rows inside the ${shape[0]} there are`, `${first} to ${first + count}`);
      }
      return readElements(name, shape, first * shape[1], target(name, count * shape[1], into));
    },
    readBytes(name, shape, first, into) {
      const entry = findTensor(tensors, name, shape, absolute);
      if (first < 0 || entry.begin + first + into.length > entry.end) {
        throw invariant(
          name,
          `bytes inside the ${entry.end - entry.begin} there are`,
          `${first} to ${first + into.length}`,
        );
      }
      readers.get(entry.file)!.readBytes(entry, first, into);
    },
    version: files.map(({ version }) => Object.values(version).join(' ')).join(', '),
    identity: (signal) => identifyCheckpoint({ folder: absolute, configHash, files }, options.cacheFolder, signal),
    close() {
      for (const reader of readers.values()) reader.close();
    },
  };
}

/** Existence and shape are checked before anything is allocated. */
function findTensor(
  tensors: ReadonlyMap<string, TensorEntry>,
  name: string,
  shape: readonly number[],
  folder: string,
): TensorEntry {
  const entry = tensors.get(name);
  const expected = `${name} of shape [${shape.join(', ')}]`;
  if (!entry) throw wrongTensor(folder, name, expected, 'no tensor of this name');
  if (entry.shape.length !== shape.length || entry.shape.some((extent, axis) => extent !== shape[axis])) {
    throw wrongTensor(entry.file, name, expected, `shape [${entry.shape.join(', ')}]`);
  }
  return entry;
}

function target(name: string, length: number, into: Float32Array | undefined): Float32Array {
  if (!into) return new Float32Array(length);
  if (into.length !== length) throw invariant(name, `room for ${length} elements`, `${into.length}`);
  return into;
}

function wrongTensor(file: string, name: string, expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `reading ${name}`,
    expected,
    actual,
    remedy: 'Download the checkpoint again: its weights do not belong to its config.json.',
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
