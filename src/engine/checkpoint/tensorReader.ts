import { byteLength, elementCount } from './elementTypes.ts';
import type { ModelTensor, TensorValues } from './modelTensor.ts';
import { NARROW, type NarrowType } from './narrow.ts';
import type { SafetensorsFile, TensorEntry } from './safetensors.ts';
import { TensorFile } from './tensorFile.ts';
import { WIDEN } from './widen.ts';
import { EspalierError } from '../../base/errors.ts';

/** Reads the tensors of a model by position, and computes those that no file holds as they are: some rows at a time, nothing is kept. */
export class TensorReader {
  private readonly files: ReadonlyMap<string, TensorFile>;

  constructor(files: readonly SafetensorsFile[]) {
    this.files = new Map(files.map((file) => [file.file, new TensorFile(file)]));
  }

  /**
   * The elements `first … first + into.length − 1` of a tensor (row-major) as float32.
   *
   * @throws EspalierError `checkpoint/tensor`, `checkpoint/safetensors`
   */
  read(name: string, { values, shape, dtype }: ModelTensor, first: number, into: Float32Array): void {
    if (values.kind === 'stored') this.stored(name, values.entry, first, into);
    else {
      compute(this, { name, columns: shape.at(-1) ?? 1, first, into }, values);
      roundTo(dtype as NarrowType, into);
    }
  }

  /** The bytes of such elements in the tensor's own type, as many as `into` takes. Bit by bit where a file holds them. */
  readBytes(name: string, tensor: ModelTensor, first: number, into: Uint8Array): void {
    const { values, dtype } = tensor;
    const width = byteLength(dtype, 1)!;
    if (values.kind === 'stored') {
      this.files.get(values.entry.file)!.readBytes(values.entry, first * width, into);
      return;
    }
    const elements = new Float32Array(into.length / width);
    this.read(name, tensor, first, elements);
    into.set(NARROW[dtype as NarrowType](elements));
  }

  /** Elements of what a file holds. */
  stored(name: string, entry: TensorEntry, first: number, into: Float32Array): void {
    this.files.get(entry.file)!.read(name, entry, first, into);
  }

  whole(name: string, entry: TensorEntry): Float32Array {
    const values = new Float32Array(elementCount(entry.shape)!);
    this.stored(name, entry, 0, values);
    return values;
  }

  close(): void {
    for (const file of this.files.values()) file.close();
  }
}

interface Range {
  readonly name: string;
  /** Elements of a row. */
  readonly columns: number;
  readonly first: number;
  readonly into: Float32Array;
}

type Computed = Exclude<TensorValues, { kind: 'stored' }>;

function compute(reader: TensorReader, range: Range, values: Computed): void {
  switch (values.kind) {
    case 'masked':
      readMasked(reader, range, values);
      return;
    case 'scaled':
      readScaled(reader, range, values);
      return;
    case 'merged':
      readMerged(reader, range, values);
  }
}

/** Elements of a mask that are read at a time. */
const PART = 1 << 18;

function readMasked(
  reader: TensorReader,
  { name, first, into }: Range,
  { weight, mask }: Extract<Computed, { kind: 'masked' }>,
): void {
  reader.stored(name, weight, first, into);
  const part = new Float32Array(Math.min(PART, into.length));
  for (let at = 0; at < into.length; at += part.length) {
    const kept = part.subarray(0, Math.min(part.length, into.length - at));
    reader.stored(name, mask, first + at, kept);
    for (let i = 0; i < kept.length; i++) {
      const keep = kept[i]!;
      if (keep !== 0 && keep !== 1) throw noMask(name, mask.file, keep);
      into[at + i]! *= keep;
    }
  }
}

function readScaled(
  reader: TensorReader,
  { name, columns, first, into }: Range,
  { weight, scale, block: [high, wide] }: Extract<Computed, { kind: 'scaled' }>,
): void {
  reader.stored(name, weight, first, into);
  const scales = reader.whole(name, scale);
  const across = Math.ceil(columns / wide);
  eachRow({ columns, first, into }, (row, begin, values) => {
    const above = Math.floor(row / high) * across;
    for (let i = 0; i < values.length; i++) values[i]! *= scales[above + Math.floor((begin + i) / wide)]!;
  });
}

function readMerged(
  reader: TensorReader,
  { name, columns, first, into }: Range,
  { base, left, right, scaling, transposed }: Extract<Computed, { kind: 'merged' }>,
): void {
  reader.read(name, base, first, into);
  const rank = transposed ? left.shape[0]! : left.shape[1]!;
  const ofRows = transposed ? transpose(reader.whole(name, left), rank) : reader.whole(name, left);
  const ofColumns = transposed ? transpose(reader.whole(name, right), columns) : reader.whole(name, right);
  const sums = new Float64Array(columns);
  eachRow({ columns, first, into }, (row, begin, values) => {
    sums.fill(0);
    let k = 0;
    const term = (offset: number) => ofColumns.subarray((k + offset) * columns + begin);
    const factor = (offset: number) => ofRows[row * rank + k + offset]!;
    // Four at a time: the sums are read and written that much less often. They are added in the order of k all the same.
    for (; k + 4 <= rank; k += 4) {
      const [a, b, c, d] = [factor(0), factor(1), factor(2), factor(3)];
      const [x, y, z, w] = [term(0), term(1), term(2), term(3)];
      for (let i = 0; i < values.length; i++) sums[i] = sums[i]! + a * x[i]! + b * y[i]! + c * z[i]! + d * w[i]!;
    }
    for (; k < rank; k++) {
      const [a, x] = [factor(0), term(0)];
      for (let i = 0; i < values.length; i++) sums[i]! += a * x[i]!;
    }
    for (let i = 0; i < values.length; i++) values[i] = values[i]! + Math.fround(scaling * sums[i]!);
  });
}

/** The parts of `into` that are of one row each, with that row and the column that they begin at. */
function eachRow(
  { columns, first, into }: Omit<Range, 'name'>,
  visit: (row: number, begin: number, values: Float32Array) => void,
): void {
  for (let at = 0; at < into.length;) {
    const row = Math.floor((first + at) / columns);
    const begin = first + at - row * columns;
    const count = Math.min(columns - begin, into.length - at);
    visit(row, begin, into.subarray(at, at + count));
    at += count;
  }
}

/** [rows, …] → […, rows] */
function transpose(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!;
  }
  return turned;
}

/** What the values would be, were they stored in this type. */
function roundTo(dtype: NarrowType, values: Float32Array): void {
  if (dtype === 'F32') return;
  for (let at = 0; at < values.length; at += PART) {
    const part = values.subarray(at, at + PART);
    WIDEN[dtype](NARROW[dtype](part), part, 0);
  }
}

function noMask(name: string, file: string, found: number): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `reading ${name}`,
    expected: 'a mask (weight_mask) of zeros and ones',
    actual: `${found}`,
    remedy: 'Make weight and mask one before saving: torch.nn.utils.prune.remove(module, "weight").',
    file,
  });
}
