import type { Matrix } from './matrix.ts';
import type { Observer, OracleModel } from './model.ts';
import { type OracleParts, withParts } from './structure.ts';

/**
 * The model of which only `kept` stays, with the output projections of every block refitted to what the whole ones gave on the samples, as the
 * blocks before have left them, or one-shot as the whole model has them: W' = (W H[:, S] + λ W[:, S]) (H[S, S] + λ I)⁻¹, λ = damping · mean diag(H).
 */
export function reconstructed(
  model: OracleModel,
  rebuild: (tensors: OracleModel['tensors']) => OracleModel,
  kept: readonly OracleParts[],
  samples: readonly (readonly number[])[],
  damping: number,
  calibrate: 'sequential' | 'one-shot' = 'sequential',
): OracleModel {
  const tensors = new Map(model.tensors);
  for (let block = 0; block < model.depth; block++) {
    // What is behind this block does not matter yet.
    const before = kept.map((parts, index) => (index < block ? parts : whole(parts)));
    const seen = calibrate === 'one-shot' ? model : withParts(rebuild(tensors), rebuild, before);
    const grams = gramsOf(seen, block, samples);
    for (const [linear, stays] of [
      [model.attention.at(-1)!, kept[block]!.groups],
      [model.mlp.at(-1)!, kept[block]!.channels],
    ] as const) {
      const name = model.weightName(block, linear);
      const weight = tensors.get(name)!;
      const part = weight.columns / stays.length;
      const columns = Array.from({ length: weight.columns }, (_, j) => j).filter(
        (j) => stays[Math.floor(j / part)] === 1,
      );
      if (columns.length > 0 && columns.length < weight.columns)
        tensors.set(name, refitted(weight, grams.get(linear)!, columns, damping));
    }
  }
  return withParts(rebuild(tensors), rebuild, kept);
}

/** As the formula has it, in float64. @param h [in, in] */
export function refitted(weight: Matrix, h: Float64Array, columns: readonly number[], damping: number): Matrix {
  const { rows, columns: n, values } = weight;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += h[i * n + i]!;
  const lambda = (damping * trace) / n;
  const s = columns.length;
  const system = new Float64Array(s * s);
  columns.forEach((i, a) => {
    columns.forEach((j, b) => (system[a * s + b] = h[i * n + j]! + (a === b ? lambda : 0)));
  });
  const wanted = new Float64Array(s * rows);
  for (let row = 0; row < rows; row++) {
    columns.forEach((j, b) => {
      let sum = lambda * values[row * n + j]!;
      for (let i = 0; i < n; i++) sum += values[row * n + i]! * h[i * n + j]!;
      wanted[b * rows + row] = sum;
    });
  }
  solve(system, wanted, s, rows);
  const made = new Float64Array(values.length);
  columns.forEach((j, b) => {
    for (let row = 0; row < rows; row++) made[row * n + j] = wanted[b * rows + row]!;
  });
  return { ...weight, values: made };
}

/** Gaussian elimination with pivots: a [n, n] x = b [n, m], x in the place of b. */
function solve(a: Float64Array, b: Float64Array, n: number, m: number): void {
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[pivot * n + k]!)) pivot = i;
    swapRows(a, n, k, pivot);
    swapRows(b, m, k, pivot);
    for (let i = 0; i < n; i++) {
      const factor = i === k ? 0 : a[i * n + k]! / a[k * n + k]!;
      if (factor === 0) continue;
      for (let j = k; j < n; j++) a[i * n + j]! -= factor * a[k * n + j]!;
      for (let j = 0; j < m; j++) b[i * m + j]! -= factor * b[k * m + j]!;
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) b[i * m + j]! /= a[i * n + i]!;
}

function swapRows(a: Float64Array, width: number, i: number, j: number): void {
  if (i === j) return;
  const row = a.slice(i * width, (i + 1) * width);
  a.copyWithin(i * width, j * width, (j + 1) * width);
  a.set(row, j * width);
}

/** H of what each linear layer of a block reads, by the layer's name. */
function gramsOf(
  model: OracleModel,
  block: number,
  samples: readonly (readonly number[])[],
): Map<string, Float64Array> {
  const grams = new Map<string, Float64Array>();
  const observe: Observer = (linear, { rows, columns, values }) => {
    const sums = grams.get(linear) ?? new Float64Array(columns * columns);
    grams.set(linear, sums);
    for (let t = 0; t < rows; t++) {
      const x = values.subarray(t * columns, (t + 1) * columns);
      for (let i = 0; i < columns; i++) for (let j = 0; j < columns; j++) sums[i * columns + j]! += x[i]! * x[j]!;
    }
  };
  for (const sample of samples) {
    let hidden = model.embed(sample);
    for (let i = 0; i < block; i++) hidden = model.block(i, hidden);
    model.block(block, hidden, observe);
  }
  return grams;
}

function whole({ groups, channels }: OracleParts): OracleParts {
  return { groups: groups.map(() => 1), channels: channels.map(() => 1) };
}
