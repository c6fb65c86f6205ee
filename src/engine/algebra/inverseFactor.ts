import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { columnTiles, type DampedGram } from './dampedGram.ts';
import { inverseReverseCholesky } from './reverseCholesky.ts';
import { multiply, subtractProducts } from './tiles.ts';

/** R, upper, with RᵀR = A⁻¹, in square tiles. */
export interface InverseFactor {
  /** Where tiles begin, and n. */
  readonly edges: readonly number[];
  /** R[i][j − i] is the tile in row i and column j ≥ i. */
  readonly tiles: readonly (readonly DeviceTensor[])[];
  /** The tiles on the diagonal as they were computed, in float64. */
  readonly diagonal: readonly Float64Array[];
  dispose(): void;
}

/**
 * R of A. The reverse Cholesky factor U of A = U Uᵀ (U upper) has R = U⁻¹, so one factorisation and one inverse of a triangle are enough, and
 * A⁻¹ is never there. Columns of tiles go from the right to the left; as soon as a row of U is complete it is inverted in its place.
 *
 * @param edges where tiles begin, and n
 * @returns undefined where A is not positive definite as far as float32 can tell
 */
export async function inverseFactor(
  device: Device,
  damped: DampedGram,
  edges: readonly number[],
): Promise<InverseFactor | undefined> {
  const last = edges.length - 2;
  // Of rows that are not complete yet the tiles of U that are there, of the others those of R.
  const rows: DeviceTensor[][] = edges.slice(1).map(() => []);
  const diagonal: Float64Array[] = [];
  const dispose = (): void => {
    rows.flat().forEach((tile) => {
      tile.dispose();
    });
  };
  for (let i = last; i >= 0; i--) {
    const columns = await columnTiles(device, damped, edges, i);
    for (let j = 0; j <= i; j++) {
      const pairs = rows[j]!.map((tile, k) => [tile, rows[i]![k]!] as const);
      const tile = await subtractProducts(device, columns[j]!, pairs, true);
      if (tile !== columns[j]) columns[j]!.dispose();
      columns[j] = tile;
    }
    const width = edges[i + 1]! - edges[i]!;
    const inverse = inverseReverseCholesky(await device.download(columns[i]!), width);
    columns[i]!.dispose();
    if (!inverse) {
      dispose();
      return undefined;
    }
    const v = await device.upload(Float32Array.from(inverse), [width, width], 'float32');
    for (let j = 0; j < i; j++) {
      rows[j]!.unshift(await multiply(device, columns[j]!, v, { transposeB: true }));
      columns[j]!.dispose();
    }
    const inverted = await invertRow(device, v, rows[i]!, rows.slice(i + 1), edges.slice(i));
    rows[i]!.forEach((tile) => {
      tile.dispose();
    });
    rows[i] = [v, ...inverted];
    diagonal.unshift(inverse);
  }
  return { edges, tiles: rows, diagonal, dispose };
}

/** A row of U⁻¹ right of the diagonal: R_ij = −V (Σ_k U_ik R_kj), k from behind the diagonal to j. */
async function invertRow(
  device: Device,
  v: DeviceTensor,
  row: readonly DeviceTensor[],
  below: readonly (readonly DeviceTensor[])[],
  edges: readonly number[],
): Promise<DeviceTensor[]> {
  const inverted: DeviceTensor[] = [];
  for (let j = 0; j < row.length; j++) {
    const shape = [edges[1]! - edges[0]!, edges[j + 2]! - edges[j + 1]!] as const;
    const zeros = await device.upload(new Float32Array(shape[0] * shape[1]), shape, 'float32');
    const pairs = Array.from({ length: j + 1 }, (_, k) => [row[k]!, below[k]![j - k]!] as const);
    const sum = await subtractProducts(device, zeros, pairs);
    inverted.push(await multiply(device, v, sum));
    zeros.dispose();
    sum.dispose();
  }
  return inverted;
}
