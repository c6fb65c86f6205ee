/**
 * V, upper, with VᵀV = (S + diag(shift))⁻¹: the inverse of the reverse Cholesky factor U of U Uᵀ, U upper. In float64.
 *
 * @param s [n, n], row-major, symmetric; its upper half is read
 * @param shift [n] or longer
 * @returns [n, n]; undefined where the matrix is not positive definite as far as float64 can tell
 */
export function inverseReverseCholesky(s: Float32Array, shift: Float32Array): Float64Array | undefined {
  const n = Math.sqrt(s.length);
  const u = new Float64Array(s);
  for (let i = 0; i < n; i++) {
    u[i * n + i]! += shift[i]!;
    u.fill(0, i * n, i * n + i);
  }
  return factorUpper(u, n) ? invertUpper(u, n) : undefined;
}

/** In place, column by column from the right: what the columns behind have explained is taken away, then the column is scaled by its pivot. */
function factorUpper(u: Float64Array, n: number): boolean {
  for (let j = n - 1; j >= 0; j--) {
    const row = u.subarray(j * n, (j + 1) * n);
    let pivot = row[j]!;
    for (let k = j + 1; k < n; k++) pivot -= row[k]! * row[k]!;
    if (!(pivot > 0 && pivot < Infinity)) return false;
    const root = Math.sqrt(pivot);
    row[j] = root;
    for (let i = 0; i < j; i++) {
      let sum = u[i * n + j]!;
      for (let k = j + 1; k < n; k++) sum -= u[i * n + k]! * row[k]!;
      u[i * n + j] = sum / root;
    }
  }
  return true;
}

/** In place, row by row from the bottom: row i of the inverse needs row i of U and the rows below, which are inverted already. */
function invertUpper(u: Float64Array, n: number): Float64Array {
  const row = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const scale = -1 / u[i * n + i]!;
    row.fill(0, i + 1);
    for (let k = i + 1; k < n; k++) {
      const factor = u[i * n + k]! * scale;
      for (let j = k; j < n; j++) row[j]! += factor * u[k * n + j]!;
    }
    u[i * n + i] = -scale;
    for (let j = i + 1; j < n; j++) u[i * n + j] = row[j]!;
  }
  return u;
}
