import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { type InverseFactor, pairsOf } from './inverseFactor.ts';
import { minusProducts } from './tiles.ts';

/** A⁻¹ = RᵀR, [n, n], from its tiles on and above the diagonal: (A⁻¹)_ij = Σ_k (R_ki)ᵀ R_kj for k ≤ i. It is put together in this process. */
export async function inverseOf(
  device: Device,
  { edges, columns }: InverseFactor,
  pause?: Pause,
): Promise<DeviceTensor> {
  const n = edges.at(-1)!;
  const whole = new Float32Array(n * n);
  for (const [i, left] of columns.entries()) {
    for (const [j, right] of columns.entries()) {
      if (j < i) continue;
      await pause?.();
      const zeros = await device.upload(
        new Float32Array(left.width * right.width),
        [left.width, right.width],
        'float32',
      );
      const tile = await minusProducts(device, zeros, pairsOf(left.parts(), right.parts(i + 1)));
      writeNegated(whole, n, await device.download(tile), edges[i]!, edges[j]!, right.width);
      zeros.dispose();
      tile.dispose();
    }
  }
  return device.upload(whole, [n, n], 'float32');
}

/** −tile at its place and, transposed, at the other side of the diagonal. */
function writeNegated(
  whole: Float32Array,
  n: number,
  tile: Float32Array,
  top: number,
  left: number,
  width: number,
): void {
  const height = tile.length / width;
  for (let row = 0; row < height; row++) {
    const begin = (top + row) * n + left;
    for (let column = 0; column < width; column++) whole[begin + column] = -tile[row * width + column]!;
  }
  for (let column = 0; column < width; column++) {
    const begin = (left + column) * n + top;
    for (let row = 0; row < height; row++) whole[begin + row] = -tile[row * width + column]!;
  }
}
