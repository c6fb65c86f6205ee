/**
 * V, upper, with VᵀV = S⁻¹: the inverse of the reverse Cholesky factor U of S = U Uᵀ, U upper. In float64.
 *
 * @param s [n, n], row-major, symmetric; its upper half is read
 * @returns undefined where S is not positive definite as far as float64 can tell
 */
export function inverseReverseCholesky(s: Float32Array, n: number): Float64Array | undefined {
  const u = reverseCholesky(s, n);
  return u && invertUpper(u, n);
}

/** Column by column from the right: what the columns behind have explained of S is taken away, then the column is scaled by its pivot. */
function reverseCholesky(s: Float32Array, n: number): Float64Array | undefined {
  const u = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) u[i * n + j] = s[i * n + j]!;
  for (let j = n - 1; j >= 0; j--) {
    let pivot = u[j * n + j]!;
    for (let k = j + 1; k < n; k++) pivot -= u[j * n + k]! ** 2;
    if (!(pivot > 0 && pivot < Infinity)) return undefined;
    const root = Math.sqrt(pivot);
    u[j * n + j] = root;
    for (let i = 0; i < j; i++) {
      let sum = u[i * n + j]!;
      for (let k = j + 1; k < n; k++) sum -= u[i * n + k]! * u[j * n + k]!;
      u[i * n + j] = sum / root;
    }
  }
  return u;
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
