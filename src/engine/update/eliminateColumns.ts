import type { Columns } from './maskChoice.ts';

/**
 * Works off the columns `from` to `to` weight by weight, in float64: what a weight that goes leaves behind, e = w_j / R_jj, is taken off those behind it
 * in its row, up to the column `end`. Weights that go become zero.
 *
 * @param r [width, width]: the tile of R on the diagonal, upper
 * @param errors [width, rows]: e where a weight goes, else 0
 */
export function eliminateColumns(
  columns: Columns,
  r: Float32Array,
  errors: Float32Array,
  from: number,
  to: number,
  end: number,
): void {
  let j = from;
  for (; j + TOGETHER <= to; j += TOGETHER) {
    eliminateFour(columns, r, errors, j);
    takeFour(columns, r, errors, j, end);
  }
  for (; j < to; j++) {
    eliminateOne(columns, r, errors, j);
    for (let k = j + 1; k < end; k++) takeOne(columns, r, errors, j, k);
  }
}

/** Columns that are worked off in one go over the rows: what they leave to each other stays in registers. */
const TOGETHER = 4;

function eliminateFour(
  { rows, width, values, gone }: Columns,
  r: Float32Array,
  errors: Float32Array,
  first: number,
): void {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => (first + i) * width + first) as [number, number, number, number];
  const [pa, pb, pc, pd] = [1 / r[a]!, 1 / r[b + 1]!, 1 / r[c + 2]!, 1 / r[d + 3]!];
  const [ab, ac, ad, bc, bd, cd] = [r[a + 1]!, r[a + 2]!, r[a + 3]!, r[b + 2]!, r[b + 3]!, r[c + 3]!];
  for (let i = first * rows, end = i + rows; i < end; i++) {
    const j = i + rows;
    const k = j + rows;
    const l = k + rows;
    const wa = values[i]!;
    const ea = wa * pa * gone[i]!;
    const wb = values[j]! - ea * ab;
    const eb = wb * pb * gone[j]!;
    const wc = values[k]! - ea * ac - eb * bc;
    const ec = wc * pc * gone[k]!;
    const wd = values[l]! - ea * ad - eb * bd - ec * cd;
    const ed = wd * pd * gone[l]!;
    values[i] = wa - wa * gone[i]!;
    values[j] = wb - wb * gone[j]!;
    values[k] = wc - wc * gone[k]!;
    values[l] = wd - wd * gone[l]!;
    errors[i] = ea;
    errors[j] = eb;
    errors[k] = ec;
    errors[l] = ed;
  }
}

/** Takes what four columns left behind off those behind them, two at a time. */
function takeFour(
  { rows, width, values }: Columns,
  r: Float32Array,
  errors: Float32Array,
  first: number,
  end: number,
): void {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => (first + i) * width) as [number, number, number, number];
  let k = first + TOGETHER;
  for (; k + 1 < end; k += 2) {
    const [ra, rb, rc, rd] = [r[a + k]!, r[b + k]!, r[c + k]!, r[d + k]!];
    const [sa, sb, sc, sd] = [r[a + k + 1]!, r[b + k + 1]!, r[c + k + 1]!, r[d + k + 1]!];
    for (let i = first * rows, to = k * rows, last = i + rows; i < last; i++, to++) {
      const ea = errors[i]!;
      const eb = errors[i + rows]!;
      const ec = errors[i + 2 * rows]!;
      const ed = errors[i + 3 * rows]!;
      values[to]! -= ea * ra + eb * rb + (ec * rc + ed * rd);
      values[to + rows]! -= ea * sa + eb * sb + (ec * sc + ed * sd);
    }
  }
  for (; k < end; k++) for (let j = first; j < first + TOGETHER; j++) takeOne({ rows, width, values }, r, errors, j, k);
}

function eliminateOne(
  { rows, width, values, gone }: Columns,
  r: Float32Array,
  errors: Float32Array,
  column: number,
): void {
  const pivot = 1 / r[column * width + column]!;
  for (let i = column * rows; i < (column + 1) * rows; i++) {
    errors[i] = values[i]! * pivot * gone[i]!;
    values[i]! -= values[i]! * gone[i]!;
  }
}

/** Takes what column `j` left behind off column `k`. */
function takeOne(
  { rows, width, values }: Pick<Columns, 'rows' | 'width' | 'values'>,
  r: Float32Array,
  errors: Float32Array,
  j: number,
  k: number,
): void {
  const share = r[j * width + k]!;
  for (let i = j * rows, to = k * rows; i < (j + 1) * rows; i++, to++) values[to]! -= errors[i]! * share;
}
