import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { InverseFactor } from './inverseFactor.ts';
import { multiply } from './tiles.ts';

/** A⁻¹ = RᵀR, [n, n]. */
export async function inverseOf(device: Device, { edges, tiles }: InverseFactor): Promise<DeviceTensor> {
  const n = edges.at(-1)!;
  const whole = new Float32Array(n * n);
  for (const [i, row] of tiles.entries()) {
    for (const [k, tile] of row.entries()) {
      const values = await device.download(tile);
      const [rows, columns] = tile.shape as [number, number];
      for (let r = 0; r < rows; r++) {
        whole.set(values.subarray(r * columns, (r + 1) * columns), (edges[i]! + r) * n + edges[i + k]!);
      }
    }
  }
  const r = await device.upload(whole, [n, n], 'float32');
  const inverse = await multiply(device, r, r, { transposeA: true });
  r.dispose();
  return inverse;
}
