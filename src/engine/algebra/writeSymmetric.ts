/**
 * Writes a part of a symmetric matrix at its place and, transposed, at the other side of the diagonal: some rows at a time, as what is neighbours in a row
 * of the part is a row apart there.
 *
 * @param whole [n, n]
 * @param part [rows, width], of which `scale` times is written
 */
export function writeSymmetric(
  whole: Float32Array,
  n: number,
  part: Float32Array,
  [top, left]: readonly [row: number, column: number],
  width: number,
  scale: 1 | -1,
): void {
  const height = part.length / width;
  for (let first = 0; first < height; first += ROWS) {
    const last = Math.min(first + ROWS, height);
    for (let column = 0; column < width; column++) {
      const mirrored = (left + column) * n + top;
      for (let row = first; row < last; row++) {
        const value = scale * part[row * width + column]!;
        whole[(top + row) * n + left + column] = value;
        whole[mirrored + row] = value;
      }
    }
  }
}

const ROWS = 16;
