/** A dense matrix in float64, row after row. A vector is a matrix with one row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float64Array(rows * columns) };
}

/** A view, not a copy. */
export function row(matrix: Matrix, index: number): Float64Array {
  return matrix.values.subarray(index * matrix.columns, (index + 1) * matrix.columns);
}

/** x · Wᵀ + b: `x` [T, in], `weight` [out, in] as Hugging Face stores it, `bias` [out]. */
export function linear(x: Matrix, weight: Matrix, bias?: Float64Array): Matrix {
  if (x.columns !== weight.columns)
    throw new RangeError(`${x.columns} features meet a weight of ${weight.columns} columns`);
  const y = zeros(x.rows, weight.rows);
  const inputs = Array.from({ length: x.rows }, (_, t) => row(x, t));
  for (let o = 0; o < weight.rows; o++) {
    const weights = row(weight, o);
    for (let t = 0; t < x.rows; t++) y.values[t * y.columns + o] = dot(inputs[t]!, weights) + (bias ? bias[o]! : 0);
  }
  return y;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function plus(a: Matrix, b: Matrix): Matrix {
  return { ...a, values: a.values.map((value, i) => value + b.values[i]!) };
}

/** These columns of `x`, in this order. */
export function columnsOf(x: Matrix, columns: readonly number[]): Matrix {
  const taken = zeros(x.rows, columns.length);
  for (let t = 0; t < x.rows; t++) columns.forEach((column, i) => (row(taken, t)[i] = row(x, t)[column]!));
  return taken;
}

/** first, first + 1, … `count` of them. */
export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
