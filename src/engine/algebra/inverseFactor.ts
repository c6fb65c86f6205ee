import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { type DampedGram, scaledTiles } from './dampedGram.ts';
import { inverseReverseCholesky } from './reverseCholesky.ts';
import { RowStack } from './rowStack.ts';
import { minusProducts, multiply } from './tiles.ts';

/** R, upper, with RᵀR = A⁻¹, in square tiles. */
export interface InverseFactor {
  /** Where tiles begin, and n. */
  readonly edges: readonly number[];
  /** The tiles of a column, from the first row to the diagonal: R[0:(j + 1), j]. */
  readonly columns: readonly RowStack[];
  /** The tiles on the diagonal as they were computed, in float64. */
  readonly diagonal: readonly Float64Array[];
  dispose(): void;
}

/**
 * R of A. The reverse Cholesky factor U of A = U Uᵀ (U upper) has R = U⁻¹, so one factorisation and one inverse of a triangle are enough, and
 * A⁻¹ is never there. Columns of tiles go from the right to the left; as soon as a row of U is complete it is inverted and dropped. Every product is
 * one of a transpose with a matrix, over the rows of two stacks of tiles: U is kept row by row as transposed tiles, R column by column.
 *
 * Memory: half a matrix [n, n] for R, and a quarter more for what there is of U meanwhile.
 *
 * @param edges where tiles begin, and n
 * @returns undefined where A is not positive definite as far as float32 can tell
 */
export async function inverseFactor(
  device: Device,
  damped: DampedGram,
  edges: readonly number[],
  pause?: Pause,
): Promise<InverseFactor | undefined> {
  const n = damped.gram.size;
  const widths = edges.slice(1).map((end, i) => end - edges[i]!);
  // (U_jk)ᵀ for the columns k > j that are done.
  const rows = widths.map((width, j) => new RowStack(device, n - edges[j + 1]!, width, 'up'));
  const columns = widths.map((width, j) => new RowStack(device, edges[j + 1]!, width, 'up'));
  const diagonal: Float64Array[] = [];
  const goOn = async (): Promise<void> => {
    try {
      await pause?.();
    } catch (error) {
      disposeAll([...rows, ...columns]);
      throw error;
    }
  };
  for (let i = widths.length - 1; i >= 0; i--) {
    await goOn();
    const tiles = await scaledTiles(device, damped, edges, i);
    const remaining = async (j: number): Promise<DeviceTensor> => {
      const left = await minusProducts(device, tiles[j]!, pairsOf(rows[i]!.parts(), rows[j]!.parts()));
      if (left !== tiles[j]) tiles[j]!.dispose();
      return left;
    };
    const pivots = await remaining(i);
    const inverse = inverseReverseCholesky(await device.download(pivots), damped.shift.subarray(edges[i]));
    pivots.dispose();
    if (!inverse) {
      disposeAll([...rows, ...columns]);
      return undefined;
    }
    diagonal.unshift(inverse);
    const v = await columns[i]!.write(new Float32Array(inverse));
    for (let j = 0; j < i; j++) {
      const left = await remaining(j);
      rows[j]!.push(await multiply(device, v, left, { spare: rows[j]!.space(widths[i]!) }));
      left.dispose();
    }
    await invertRow(device, v, rows[i]!, columns.slice(i + 1));
    rows.pop()!.dispose();
  }
  return {
    edges,
    columns,
    diagonal,
    dispose: () => {
      disposeAll(columns);
    },
  };
}

function disposeAll(stacks: readonly RowStack[]): void {
  for (const stack of stacks) stack.dispose();
}

/** Row i of U⁻¹ right of the diagonal: R_ij = −V (Σ_k U_ik R_kj), k from behind the diagonal to j. */
async function invertRow(device: Device, v: DeviceTensor, row: RowStack, columns: readonly RowStack[]): Promise<void> {
  const [height] = v.shape as [number, number];
  for (const [j, column] of columns.entries()) {
    const zeros = await device.zeros([height, column.width]);
    const sum = await minusProducts(device, zeros, pairsOf(row.parts(j + 1), column.parts()));
    column.push(await multiply(device, v, sum, { spare: column.space(height) }));
    zeros.dispose();
    sum.dispose();
  }
}

/** Rows of two stacks that lie side by side. */
export function pairsOf<A, B>(a: readonly A[], b: readonly B[]): (readonly [A, B])[] {
  return a.map((part, k) => [part, b[k]!] as const);
}
