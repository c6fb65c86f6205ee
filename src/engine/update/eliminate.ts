import type { Columns, MaskChoice } from './maskChoice.ts';

/**
 * Works off a panel of columns from left to right: what a weight that goes leaves behind is taken off the columns behind it in the panel.
 *
 * @param r [width, width]: the tile of R on the diagonal, upper
 * @param choice of what goes, made as soon as the columns before are worked off; without it `columns.gone` says what goes
 * @returns e [rows, width]: w_j / R_jj where a weight goes, else 0
 */
export function eliminate(columns: Columns, r: Float64Array, choice: MaskChoice | undefined): Float32Array {
  const { width, values, gone } = columns;
  const errors = new Float32Array(values.length);
  const step = choice?.columns ?? width;
  for (let from = 0; from < width; from += step) {
    const to = Math.min(from + step, width);
    choice?.choose(columns, from, to);
    for (let row = 0; row < values.length; row += width) {
      for (let j = from; j < to; j++) {
        if (gone[row + j] === 0) continue;
        const error = values[row + j]! / r[j * width + j]!;
        errors[row + j] = error;
        for (let k = j; k < width; k++) values[row + k]! -= error * r[j * width + k]!;
      }
    }
  }
  return errors;
}
