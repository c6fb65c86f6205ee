import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Matrix } from './matrix.ts';

/**
 * The tensors of a checkpoint folder, widened to float64. A stored vector becomes a matrix with one row, and one of GPT-2's Conv1D, which are stored
 * [in, out], the matrix [out, in] that a linear layer has.
 */
export type StoredTensors = Map<string, Matrix>;

/** Reads every safetensors file of a (small) checkpoint: 8 bytes of header size, a JSON header, then the data. */
export function readStoredTensors(folder: string): StoredTensors {
  const tensors: StoredTensors = new Map();
  for (const file of weightFiles(folder)) {
    const bytes = readFileSync(join(folder, file));
    const headerSize = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerSize)) as Record<string, HeaderEntry>;
    for (const [name, { dtype, shape, data_offsets: range }] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      const data = bytes.subarray(8 + headerSize + range[0], 8 + headerSize + range[1]);
      const columns = shape.at(-1)!;
      const values = widen(dtype, data);
      const stored = { rows: values.length / columns, columns, values };
      tensors.set(name, /\.c_(attn|proj|fc)\.weight$/.test(name) ? turned(stored) : stored);
    }
  }
  // Some are saved from the bare decoder.
  return new Map(
    [...tensors].map(([name, tensor]) => [
      name.replace(/^decoder\./, 'model.decoder.').replace(/^(h|wte|wpe|ln_f|word_embeddings\w*)\./, 'transformer.$1.'),
      tensor,
    ]),
  );
}

function turned({ rows, columns, values }: Matrix): Matrix {
  return {
    rows: columns,
    columns: rows,
    values: values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!),
  };
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function weightFiles(folder: string): string[] {
  const index = join(folder, 'model.safetensors.index.json');
  if (!existsSync(index)) return ['model.safetensors'];
  const { weight_map: map } = JSON.parse(readFileSync(index, 'utf8')) as { weight_map: Record<string, string> };
  return [...new Set(Object.values(map))];
}

function widen(dtype: string, bytes: Buffer): Float64Array {
  switch (dtype) {
    case 'F32':
      return numbers(bytes.length / 4, (i) => bytes.readFloatLE(4 * i));
    case 'F16':
      return numbers(bytes.length / 2, (i) => float16(bytes.readUInt16LE(2 * i)));
    case 'BF16':
      return numbers(bytes.length / 2, (i) => bfloat16(bytes.readUInt16LE(2 * i)));
    default:
      throw new TypeError(`the oracle does not read ${dtype}`);
  }
}

function numbers(length: number, at: (index: number) => number): Float64Array {
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) values[i] = at(i);
  return values;
}

/** IEEE 754 binary16: sign, 5 bits of exponent with bias 15, 10 bits of fraction. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16: 8 bits of exponent with bias 127, 7 bits of fraction. */
function bfloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 7) & 255;
  const fraction = bits & 127;
  if (exponent === 255) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -133 : sign * (1 + fraction / 128) * 2 ** (exponent - 127);
}
