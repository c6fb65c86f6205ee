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
    const pivot = u[j * n + j]! - dotBehind(u, n, j, j, j);
    if (!(pivot > 0 && pivot < Infinity)) return false;
    const root = Math.sqrt(pivot);
    u[j * n + j] = root;
    for (let i = 0; i < j; i++) u[i * n + j] = (u[i * n + j]! - dotBehind(u, n, i, j, j)) / root;
  }
  return true;
}

/** Σ u_ik u_jk over the columns k behind one; four sums at a time, as one would have to wait for itself. */
function dotBehind(u: Float64Array, n: number, i: number, j: number, column: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const left = i * n;
  const right = j * n;
  let k = column + 1;
  for (; k + 3 < n; k += 4) {
    a += u[left + k]! * u[right + k]!;
    b += u[left + k + 1]! * u[right + k + 1]!;
    c += u[left + k + 2]! * u[right + k + 2]!;
    d += u[left + k + 3]! * u[right + k + 3]!;
  }
  for (; k < n; k++) a += u[left + k]! * u[right + k]!;
  return a + b + (c + d);
}

/** In place, row by row from the bottom: row i of the inverse needs row i of U and the rows below, which are inverted already. */
function invertUpper(u: Float64Array, n: number): Float64Array {
  const row = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const scale = -1 / u[i * n + i]!;
    row.fill(0, i + 1);
    let k = i + 1;
    // Two rows at a time: left of its diagonal the lower one is zero.
    for (; k + 1 < n; k += 2) {
      const upper = u[i * n + k]! * scale;
      const lower = u[i * n + k + 1]! * scale;
      const first = k * n;
      const second = first + n;
      for (let j = k; j < n; j++) row[j]! += upper * u[first + j]! + lower * u[second + j]!;
    }
    if (k < n) row[k]! += u[i * n + k]! * scale * u[k * n + k]!;
    u[i * n + i] = -scale;
    u.set(row.subarray(i + 1), i * n + i + 1);
  }
  return u;
}
