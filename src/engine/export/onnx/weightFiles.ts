import { closeSync, fsyncSync, writeSync } from 'node:fs';
import path from 'node:path';
import { createFileSync } from '../../../files/openRegular.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { readParameter } from '../../checkpoint/readParameter.ts';
import type { Parameter } from '../../families/family.ts';
import { sizeOf } from '../../graph/shape.ts';
import type { StoredTensor } from './onnxGraph.ts';

/** Elements that are read and written at a time. */
const CHUNK = 1 << 22;

/** Bytes of a file at most, where it holds more than one tensor: what browsers hold as one buffer. */
const FILE_BYTES = 2 ** 31 - 1;

/**
 * The tensors of an ONNX model one after the other, each at a multiple of 64 bytes, as float32, in one file or several: `NAME_data`, `NAME_data_1`, …,
 * as transformers.js looks for them. onnxruntime finds them by these names beside the model.
 */
export class WeightFiles {
  readonly stored: StoredTensor[] = [];
  private readonly folder: string;
  private readonly name: string;
  private readonly fileBytes: number;
  private descriptor: number | undefined;
  private files = 0;
  private end = 0;

  /** @param name of the model file that they lie beside */
  constructor(folder: string, name: string, fileBytes = FILE_BYTES) {
    this.folder = folder;
    this.name = `${name}_data`;
    this.fileBytes = fileBytes;
  }

  /** How many there are. */
  get count(): number {
    return this.files;
  }

  /** Copies a tensor of a checkpoint, some rows at a time; one that has to be turned as a whole. */
  copy(checkpoint: Checkpoint, parameter: Parameter): void {
    const { tensor, shape, transposed } = parameter;
    this.begin(tensor, shape);
    if (shape.length === 1 || transposed) {
      this.write(readParameter(checkpoint, parameter));
      return;
    }
    const [count, columns] = shape as readonly [number, number];
    const rows = Math.max(1, Math.floor(CHUNK / columns));
    for (let first = 0; first < count; first += rows) {
      this.write(checkpoint.readRows(tensor, [count, columns], first, Math.min(rows, count - first)));
    }
  }

  add(name: string, shape: readonly number[], values: Float32Array): void {
    this.begin(name, shape);
    this.write(values);
  }

  finish(): void {
    if (this.descriptor !== undefined) fsyncSync(this.descriptor);
    this.close();
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private begin(name: string, shape: readonly number[]): void {
    this.end = Math.ceil(this.end / 64) * 64;
    if (this.descriptor === undefined || this.end + 4 * sizeOf(shape) > this.fileBytes) this.next();
    this.stored.push({ name, shape, file: this.fileName, offset: this.end });
  }

  private next(): void {
    this.finish();
    this.files++;
    this.end = 0;
    this.descriptor = createFileSync(path.join(this.folder, this.fileName));
  }

  private get fileName(): string {
    return this.files === 1 ? this.name : `${this.name}_${this.files - 1}`;
  }

  private write(values: Float32Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let at = 0; at < bytes.length;) {
      const written = writeSync(this.descriptor!, bytes, at, bytes.length - at, this.end);
      at += written;
      this.end += written;
    }
  }
}
