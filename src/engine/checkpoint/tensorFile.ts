import { closeSync, fstatSync, readSync } from 'node:fs';
import { elementCount, isReadableType, UNQUANTISED } from './elementTypes.ts';
import { WIDEN } from './widen.ts';
import { EspalierError } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { sameVersion, versionOf } from '../../files/fileVersion.ts';
import { openToReadSync } from '../../files/openRegular.ts';
import type { ReadableType } from './elementTypes.ts';
import type { SafetensorsFile, TensorEntry } from './safetensors.ts';

/**
 * Reads tensors of one safetensors file by position. The file is opened at the first read and stays open until `close`, so
 * that all tensors come from the same bytes even if another file is moved in its place.
 */
export class TensorFile {
  private readonly source: SafetensorsFile;
  private descriptor: number | undefined;

  constructor(source: SafetensorsFile) {
    this.source = source;
  }

  /**
   * Reads the elements `first … first + target.length − 1` of a tensor (row-major) as float32.
   *
   * @throws EspalierError `checkpoint/tensor` for a type that has no float32 reading, `checkpoint/safetensors` when the file
   * has changed since its header was read, or ends early.
   */
  read(name: string, entry: TensorEntry, first: number, target: Float32Array): void {
    if (!isReadableType(entry.dtype)) throw unreadable(name, entry);
    const width = (entry.end - entry.begin) / (elementCount(entry.shape)! || 1);
    this.open();
    this.checkUnchanged();
    this.readRange(entry.dtype, entry.begin + first * width, width, target);
    this.checkUnchanged();
  }

  /** Reads bytes of a tensor as they are stored, from byte `first` of its data on; checked as {@link read} is. */
  readBytes(entry: TensorEntry, first: number, target: Uint8Array): void {
    this.open();
    this.checkUnchanged();
    this.readFully(target, entry.begin + first);
    this.checkUnchanged();
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private readRange(type: ReadableType, begin: number, width: number, target: Float32Array): void {
    const inPlace = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    // float32 needs no widening: it is read straight into its place.
    const bounce = type === 'F32' ? undefined : bounceBuffer();
    const step = CHUNK / width;
    for (let done = 0; done < target.length; done += step) {
      const count = Math.min(step, target.length - done);
      const chunk = bounce ? bounce.subarray(0, count * width) : inPlace.subarray(done * 4, (done + count) * 4);
      this.readFully(chunk, begin + done * width);
      if (bounce) WIDEN[type](chunk, target, done);
    }
  }

  private readFully(chunk: Uint8Array, position: number): void {
    for (let at = 0; at < chunk.length;) {
      let bytesRead: number;
      try {
        bytesRead = readSync(this.descriptor!, chunk, at, chunk.length - at, position + at);
      } catch (thrown) {
        throw this.failed('readable data', reasonOf(thrown));
      }
      if (bytesRead === 0) throw this.failed(`${this.source.version.size} bytes`, `the end at byte ${position + at}`);
      at += bytesRead;
    }
  }

  private open(): void {
    if (this.descriptor !== undefined) return;
    try {
      this.descriptor = openToReadSync(this.source.file);
    } catch (thrown) {
      throw this.failed('a readable file', reasonOf(thrown));
    }
  }

  private checkUnchanged(): void {
    const found = fstatSync(this.descriptor!, { bigint: true });
    const { version } = this.source;
    const now = versionOf(found);
    // Moving another file in its place, or deleting it, sets its change time; its bytes stay.
    if (sameVersion(found.nlink === 0n ? { ...now, changed: version.changed } : now, version)) return;
    this.close();
    throw this.failed(
      'the file as it was when the checkpoint was opened',
      'one that has been changed or replaced since',
    );
  }

  private failed(expected: string, actual: string): EspalierError {
    const { file } = this.source;
    return new EspalierError({
      code: 'checkpoint/safetensors',
      operation: `reading ${file}`,
      expected,
      actual,
      remedy: 'Leave the checkpoint alone while it is in use, and start again.',
      file,
    });
  }
}

/** Bytes that are read and widened at a time: small enough to stay in the cache between the two. */
const CHUNK = 2 ** 20;

let bounceBytes: Uint8Array | undefined;

/** One buffer for all files: reads are synchronous, so no two of them can meet in it. */
function bounceBuffer(): Uint8Array {
  return (bounceBytes ??= new Uint8Array(new ArrayBuffer(CHUNK)));
}

function unreadable(name: string, { dtype, file }: TensorEntry): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `reading ${name}`,
    expected: 'elements of a type that has a float32 reading',
    actual: dtype,
    remedy: UNQUANTISED,
    file,
  });
}
