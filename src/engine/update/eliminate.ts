import type { Columns, MaskChoice } from './maskChoice.ts';

/**
 * Works off a panel of columns from left to right: what a weight that goes leaves behind is taken off the columns behind it in the panel.
 *
 * @param r [width, width]: the tile of R on the diagonal, upper
 * @param choice of what goes, made as soon as the columns before are worked off; without it `columns.gone` says what goes
 * @returns e, transposed, [width, rows]: w_j / R_jj where a weight goes, else 0
 */
export function eliminate(columns: Columns, r: Float64Array, choice: MaskChoice | undefined): Float32Array {
  const { width, values, gone } = columns;
  const errors = new Float32Array(values.length);
  const rows = values.length / width;
  const step = choice?.columns ?? width;
  for (let from = 0; from < width; from += step) {
    const to = Math.min(from + step, width);
    choice?.choose(columns, from, to);
    for (let row = 0; row < rows; row++) {
      const begin = row * width;
      for (let j = from; j < to; j++) {
        if (gone[begin + j] === 0) continue;
        const error = values[begin + j]! / r[j * width + j]!;
        errors[j * rows + row] = error;
        for (let k = j; k < width; k++) values[begin + k]! -= error * r[j * width + k]!;
      }
    }
  }
  return errors;
}
