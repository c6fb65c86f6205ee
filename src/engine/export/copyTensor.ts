import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { byteLength, type FloatType } from '../checkpoint/elementTypes.ts';
import { NARROW } from '../checkpoint/narrow.ts';
import { type Parameter, storedShape } from '../families/family.ts';
import type { CheckpointWriter } from './checkpointWriter.ts';
import { requireFloat16 } from './float16Range.ts';
import type { TensorSource } from './tensorSources.ts';

const MORE_DAMPING = 'Use more damping, or export to onnx, which is float32.';

/** Bytes that are read at a time. */
const CHUNK = 1 << 24;

type Stored = Extract<TensorSource, { kind: 'stored' }>;

/** Copies a tensor, or the rows and columns of it that are kept, bit by bit in the type that it has and the order that it is stored in. */
export async function copyTensor(
  from: Checkpoint,
  { parameter, rows: outputs, columns: inputs }: Stored,
  to: CheckpointWriter,
  name: string,
  step: () => Promise<void>,
): Promise<void> {
  const { tensor, transposed } = parameter;
  const shape = storedShape(parameter);
  const [rows, columns] = transposed ? [inputs, outputs] : [outputs, inputs];
  const { width, rowBytes, count } = formOf(from, tensor, shape);
  const indices = columns && indicesOf(columns);
  const chunkRows = Math.max(1, Math.floor(CHUNK / rowBytes));
  let at = 0;
  for (const [begin, end] of rows ? runsOf(rows) : [[0, count] as const]) {
    for (let first = begin; first < end; first += chunkRows) {
      const chunk = new Uint8Array(Math.min(chunkRows, end - first) * rowBytes);
      from.readBytes(tensor, shape, (first * rowBytes) / width, chunk);
      const kept = indices ? takeColumns(chunk, rowBytes, width, indices) : chunk;
      to.write(name, at, kept);
      at += kept.length;
      await step();
    }
  }
}

/** Copies a matrix with zeros where `pruned` [out, in] has them; what stays keeps every bit. */
export function copyMasked(from: Checkpoint, parameter: Parameter, pruned: Float32Array, to: CheckpointWriter): void {
  const { tensor, transposed } = parameter;
  const shape = storedShape(parameter);
  const [, columns = 1] = shape;
  const inputs = parameter.shape[1]!;
  /** Where in `pruned` a stored element is. */
  const place = (at: number): number => (transposed ? (at % columns) * inputs + Math.floor(at / columns) : at);
  const { width, rowBytes, count } = formOf(from, tensor, shape);
  const chunkRows = Math.max(1, Math.floor(CHUNK / rowBytes));
  for (let first = 0; first < count; first += chunkRows) {
    const chunk = new Uint8Array(Math.min(chunkRows, count - first) * rowBytes);
    const offset = (first * rowBytes) / width;
    from.readBytes(tensor, shape, offset, chunk);
    const elements = elementsOf(chunk, width);
    for (let i = 0; i < elements.length; i++) if (pruned[place(offset + i)] === 0) elements[i] = 0;
    to.write(tensor, first * rowBytes, chunk);
  }
}

/**
 * Writes a matrix that was computed, `values` [out, in], in the order that the checkpoint stores it in.
 *
 * @param dtype what it is rounded to, to nearest even
 * @throws EspalierError `export/mismatch` where the type has no room for a value
 */
export function writeValues(parameter: Parameter, values: Float32Array, dtype: FloatType, to: CheckpointWriter): void {
  const { tensor, shape, transposed } = parameter;
  const [outputs, inputs] = shape as [number, number];
  const width = byteLength(dtype, 1)!;
  const [rows, columns] = transposed ? [inputs, outputs] : [outputs, inputs];
  const chunkRows = Math.max(1, Math.floor(CHUNK / (width * columns)));
  for (let first = 0; first < rows; first += chunkRows) {
    const count = Math.min(chunkRows, rows - first);
    const chunk = transposed
      ? new Float32Array(count * columns)
      : values.subarray(first * columns, (first + count) * columns);
    if (transposed) {
      for (let row = 0, at = 0; row < count; row++)
        for (let column = 0; column < columns; column++, at++) chunk[at] = values[column * inputs + first + row]!;
    }
    if (dtype === 'F16') requireFloat16(tensor, chunk, MORE_DAMPING);
    to.write(
      tensor,
      first * columns * width,
      dtype === 'F64' ? new Uint8Array(Float64Array.from(chunk).buffer) : NARROW[dtype](chunk),
    );
  }
}

/** The columns of a matrix [out, in] whose bits are set. */
export function takeInputs(values: Float32Array, columns: Uint8Array): Float32Array {
  const kept = indicesOf(columns);
  const taken = new Float32Array((values.length / columns.length) * kept.length);
  for (let begin = 0, at = 0; begin < values.length; begin += columns.length) {
    for (let i = 0; i < kept.length; i++, at++) taken[at] = values[begin + kept[i]!]!;
  }
  return taken;
}

/** Bytes of an element and of a row, and the number of rows; a vector has rows of one element. */
function formOf({ tensors }: Checkpoint, tensor: string, shape: readonly number[]) {
  const width = byteLength(tensors.get(tensor)!.dtype, 1)!;
  const [count = 1, columns = 1] = shape;
  return { width, rowBytes: width * columns, count };
}

type Run = readonly [begin: number, end: number];

/** Stretches of set bits. */
function runsOf(bits: Uint8Array): Run[] {
  const runs: Run[] = [];
  for (let begin = 0; begin < bits.length;) {
    let end = begin;
    while (bits[end]) end++;
    if (end > begin) runs.push([begin, end]);
    begin = end + 1;
  }
  return runs;
}

/** The columns of these indices, from whole rows. */
function takeColumns(rows: Uint8Array, rowBytes: number, width: number, columns: Uint32Array): Uint8Array {
  const count = rows.length / rowBytes;
  const kept = new Uint8Array(count * columns.length * width);
  const [from, to] = [elementsOf(rows, width), elementsOf(kept, width)];
  const step = rowBytes / width;
  // A loop over elements: kept columns lie scattered, and a call for each would take ten times as long.
  for (let row = 0, at = 0; row < count; row++) {
    const begin = row * step;
    for (let i = 0; i < columns.length; i++, at++) to[at] = from[begin + columns[i]!]!;
  }
  return kept;
}

/**
 * Elements as integers of their width, so that no bit changes. Those of 8 bytes as pairs would need another loop: float64 weights are
 * copied as numbers, of which only NaN has more than one form.
 */
function elementsOf(bytes: Uint8Array, width: number): Uint16Array | Uint32Array | Float64Array {
  if (width === 2) return new Uint16Array(bytes.buffer);
  return width === 4 ? new Uint32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}

function indicesOf(bits: Uint8Array): Uint32Array {
  return Uint32Array.from([...bits.keys()].filter((index) => bits[index]));
}
