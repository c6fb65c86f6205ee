import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { CheckpointWriter } from './checkpointWriter.ts';
import type { TensorSource } from './tensorSources.ts';

/** Bytes that are read at a time. */
const CHUNK = 1 << 24;

type Stored = Extract<TensorSource, { kind: 'stored' }>;

/**
 * Copies a tensor, or the rows and columns of it that are kept, bit by bit in the type that it is stored in.
 *
 * @param zero where given, [out, in] of the tensor: elements that are 0 there become 0
 */
export async function copyTensor(
  from: Checkpoint,
  { parameter: { tensor, shape }, rows, columns }: Stored,
  to: CheckpointWriter,
  name: string,
  step: () => Promise<void>,
): Promise<void> {
  const { width, rowBytes, count } = formOf(from, tensor, shape);
  const runs = columns && runsOf(columns);
  const chunkRows = Math.max(1, Math.floor(CHUNK / rowBytes));
  let at = 0;
  for (const [begin, end] of rows ? runsOf(rows) : [[0, count] as const]) {
    for (let first = begin; first < end; first += chunkRows) {
      const chunk = new Uint8Array(Math.min(chunkRows, end - first) * rowBytes);
      from.readBytes(tensor, shape, first * rowBytes, chunk);
      const kept = runs ? takeColumns(chunk, rowBytes, width, runs) : chunk;
      to.write(name, at, kept);
      at += kept.length;
      await step();
    }
  }
}

/** Copies a matrix with zeros where `pruned` [out, in] has them; what stays keeps every bit. */
export function copyMasked(
  from: Checkpoint,
  tensor: string,
  shape: readonly number[],
  pruned: Float32Array,
  to: CheckpointWriter,
): void {
  const { width, rowBytes, count } = formOf(from, tensor, shape);
  const chunkRows = Math.max(1, Math.floor(CHUNK / rowBytes));
  for (let first = 0; first < count; first += chunkRows) {
    const chunk = new Uint8Array(Math.min(chunkRows, count - first) * rowBytes);
    from.readBytes(tensor, shape, first * rowBytes, chunk);
    const offset = (first * rowBytes) / width;
    for (let i = 0; i < chunk.length / width; i++) {
      if (pruned[offset + i] === 0) chunk.fill(0, i * width, (i + 1) * width);
    }
    to.write(tensor, first * rowBytes, chunk);
  }
}

/** Bytes of an element and of a row, and the number of rows; a vector has rows of one element. */
function formOf({ tensors }: Checkpoint, tensor: string, shape: readonly number[]) {
  const { begin, end } = tensors.get(tensor)!;
  const [count = 1, columns = 1] = shape;
  const rowBytes = (end - begin) / count;
  return { width: rowBytes / columns, rowBytes, count };
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

function takeColumns(rows: Uint8Array, rowBytes: number, width: number, runs: readonly Run[]): Uint8Array {
  const keptBytes = runs.reduce((sum, [begin, end]) => sum + (end - begin) * width, 0);
  const kept = new Uint8Array((rows.length / rowBytes) * keptBytes);
  let at = 0;
  for (let row = 0; row < rows.length; row += rowBytes) {
    for (const [begin, end] of runs) {
      const part = rows.subarray(row + begin * width, row + end * width);
      kept.set(part, at);
      at += part.length;
    }
  }
  return kept;
}
