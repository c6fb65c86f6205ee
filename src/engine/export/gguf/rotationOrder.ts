/**
 * Rows of each head from [first half, second half], which transformers turns with each other, to pairs side by side, which llama.cpp does in its architectures
 * `llama` and `deci`; or back.
 *
 * @param values rows of whole heads, [heads · headDim, columns]; a bias has one column
 */
export function toPairs(values: Float32Array, headDim: number, columns: number): Float32Array {
  return reordered(values, columns, (row) => pairRow(row, headDim));
}

export function toHalves(values: Float32Array, headDim: number, columns: number): Float32Array {
  const half = headDim / 2;
  return reordered(values, columns, (row) => {
    const at = row % headDim;
    return row - at + Math.floor(at / 2) + (at % 2) * half;
  });
}

/** The row that one of a head in halves becomes. */
function pairRow(row: number, headDim: number): number {
  const [half, at] = [headDim / 2, row % headDim];
  return row - at + (at % half) * 2 + Math.floor(at / half);
}

function reordered(values: Float32Array, columns: number, placeOf: (row: number) => number): Float32Array {
  const moved = new Float32Array(values.length);
  for (let row = 0; row < values.length / columns; row++) {
    moved.set(values.subarray(row * columns, (row + 1) * columns), placeOf(row) * columns);
  }
  return moved;
}
