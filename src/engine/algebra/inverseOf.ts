import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { type InverseFactor, pairsOf } from './inverseFactor.ts';
import { minusProducts } from './tiles.ts';
import { writeSymmetric } from './writeSymmetric.ts';

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
      writeSymmetric(whole, n, await device.download(tile), [edges[i]!, edges[j]!], right.width, -1);
      zeros.dispose();
      tile.dispose();
    }
  }
  return device.upload(whole, [n, n], 'float32');
}
