/** Plain float64 loops of what src/engine/update computes. Matrices are rows of numbers. */
export type Matrix = readonly (readonly number[])[];

type Rows = number[][];

/** Σ x xᵀ of rows x [tokens, n]. */
export function gramOf(x: Matrix): Rows {
  return times(transposed(x), x);
}

export type Choice =
  | { readonly gone: readonly (readonly boolean[])[] }
  | { readonly share: number; readonly columns: number }
  | { readonly keep: number; readonly of: number };

/** SparseGPT column by column: nothing lazy, nothing in blocks but the choice of its own mask. */
export function sparseGpt(weight: Matrix, h: Matrix, damping: number, choice: Choice): Rows {
  const n = h.length;
  const dead = h.map((row, i) => row[i] === 0);
  const filledIn = h.map((row, i) => row.map((value, j) => (i === j && dead[i] ? 1 : value)));
  const mean = filledIn.reduce((sum, row, i) => sum + row[i]!, 0) / n;
  const damped = filledIn.map((row, i) => row.map((value, j) => value + (i === j ? damping * mean : 0)));
  const r = transposed(lowerFactor(inverse(damped)));
  const w = weight.map((row) => row.map((value, j) => (dead[j] ? 0 : value)));
  const gone = weight.map((row) => row.map(() => false));
  for (let j = 0; j < n; j++) {
    if ('gone' in choice) choice.gone.forEach((row, i) => (gone[i]![j] = row[j]!));
    else if ('share' in choice && j % choice.columns === 0) {
      const end = Math.min(j + choice.columns, n);
      const scores = w.map((row) => row.slice(j, end).map((value, k) => (value / r[j + k]![j + k]!) ** 2));
      const sorted = scores.flat().sort((a, b) => a - b);
      const threshold = sorted[Math.floor(sorted.length * choice.share)]!;
      scores.forEach((row, i) => {
        row.forEach((score, k) => (gone[i]![j + k] = score <= threshold));
      });
    } else if ('of' in choice && j % choice.of === 0) {
      w.forEach((row, i) => {
        const scores = row.slice(j, j + choice.of).map((value, k) => ({ k, score: (value / r[j + k]![j + k]!) ** 2 }));
        scores.sort((a, b) => a.score - b.score || a.k - b.k);
        for (const { k } of scores.slice(0, choice.of - choice.keep)) gone[i]![j + k] = true;
      });
    }
    w.forEach((row, i) => {
      if (!gone[i]![j]) return;
      const error = row[j]! / r[j]![j]!;
      row[j] = 0;
      for (let k = j + 1; k < n; k++) row[k]! -= error * r[j]![k]!;
    });
  }
  return w;
}

/** ADMM as the paper's code has it. */
export function admm(
  weight: Matrix,
  h: Matrix,
  gone: readonly (readonly boolean[])[],
  damping: number,
  iterations: number,
): Rows {
  const n = h.length;
  const norm = h.map((row, i) => Math.sqrt(row[i]!) + 1e-8);
  const scaled = h.map((row, i) => row.map((value, j) => value / norm[i]! / norm[j]!));
  const mean = scaled.reduce((sum, row, i) => sum + row[i]!, 0) / n;
  const a = scaled.map((row, i) => row.map((value, j) => value + (i === j ? damping * mean : 0)));
  const solve = inverse(a.map((row, i) => row.map((value, j) => value + Number(i === j))));
  let w = weight.map((row) => row.map((value, j) => value * norm[j]!));
  const target = times(w, a);
  const u = w.map((row) => row.map(() => 0));
  for (let t = 0; t < iterations; t++) {
    const z = w.map((row, i) => row.map((value, j) => (gone[i]![j] ? 0 : value + u[i]![j]!)));
    w.forEach((row, i) => {
      row.forEach((value, j) => (u[i]![j]! += value - z[i]![j]!));
    });
    w = times(
      target.map((row, i) => row.map((value, j) => value + z[i]![j]! - u[i]![j]!)),
      solve,
    );
  }
  return w.map((row, i) => row.map((value, j) => (gone[i]![j] ? 0 : (value + u[i]![j]!) / norm[j]!)));
}

/** W' = (W H[:, S] + λ W[:, S]) (H[S, S] + λ I)⁻¹, λ = damping · mean diag(H). */
export function leastSquares(weight: Matrix, h: Matrix, kept: readonly boolean[], damping: number): Rows {
  const n = h.length;
  const lambda = (damping * h.reduce((sum, row, i) => sum + row[i]!, 0)) / n;
  const s = kept.flatMap((keep, j) => (keep ? [j] : []));
  const right = times(weight, h).map((row, i) => s.map((j) => row[j]! + lambda * weight[i]![j]!));
  const solved = times(right, inverse(s.map((i) => s.map((j) => h[i]![j]! + (i === j ? lambda : 0)))));
  return weight.map((row, i) => row.map((_, j) => (kept[j] ? solved[i]![s.indexOf(j)]! : 0)));
}

/** Σ over tokens and outputs of ((W' − W) x)² = tr((W' − W) H (W' − W)ᵀ): what an update makes small. */
export function lostOutput(weight: Matrix, updated: Matrix, h: Matrix): number {
  const change = weight.map((row, i) => row.map((value, j) => updated[i]![j]! - value));
  return times(change, h).reduce((sum, row, i) => sum + row.reduce((s, value, j) => s + value * change[i]![j]!, 0), 0);
}

/** A⁻¹ by Gauss and Jordan with pivots. */
export function inverse(a: Matrix): Rows {
  const n = a.length;
  const rows = a.map((row, i) =>
    Float64Array.from({ length: 2 * n }, (_, j) => (j < n ? row[j]! : Number(j - n === i))),
  );
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    const top = rows[k]!;
    const divisor = top[k]!;
    for (let j = k; j < 2 * n; j++) top[j]! /= divisor;
    for (let i = 0; i < n; i++) {
      const row = rows[i]!;
      const factor = row[k]!;
      if (i === k || factor === 0) continue;
      for (let j = k; j < 2 * n; j++) row[j]! -= factor * top[j]!;
    }
  }
  return rows.map((row) => [...row.subarray(n)]);
}

export function times(a: Matrix, b: Matrix): Rows {
  return a.map((row) => {
    const sums = new Float64Array(b[0]!.length);
    for (let k = 0; k < row.length; k++) {
      const [value, other] = [row[k]!, b[k]!];
      if (value === 0) continue;
      for (let j = 0; j < sums.length; j++) sums[j]! += value * other[j]!;
    }
    return [...sums];
  });
}

/** L with L Lᵀ = A. */
function lowerFactor(a: Matrix): Rows {
  const l = a.map((row) => row.map(() => 0));
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i]![j]!;
      for (let k = 0; k < j; k++) sum -= l[i]![k]! * l[j]![k]!;
      l[i]![j] = i === j ? Math.sqrt(sum) : sum / l[j]![j]!;
    }
  }
  return l;
}

function transposed(a: Matrix): Rows {
  return a[0]!.map((_, j) => a.map((row) => row[j]!));
}
