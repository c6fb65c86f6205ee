import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Elements of a matrix that are worked on at a time: fewer make products slow, more take memory. */
const ELEMENTS = 2 ** 23;

/**
 * A matrix [out, n] made some rows at a time: rows are independent of each other. In this process nothing is copied but what is made; on a device
 * all rows go at once.
 *
 * @param make the rows, from the same rows of other matrices [out, n]
 */
export async function byRows(
  device: Device,
  [out, n]: readonly [number, number],
  make: (rowsOf: (matrix: DeviceTensor) => DeviceTensor) => Promise<DeviceTensor>,
): Promise<DeviceTensor> {
  if (device.resident) return make((matrix) => matrix);
  const whole = new Float32Array(out * n);
  const chunks = Math.ceil((out * n) / ELEMENTS);
  const height = Math.ceil(out / chunks);
  for (let begin = 0; begin < out; begin += height) {
    const [from, to] = [begin * n, Math.min(begin + height, out) * n];
    const rows = await make((matrix) =>
      DeviceTensor.fromHost(matrix.floats().subarray(from, to), [(to - from) / n, n]),
    );
    whole.set(rows.floats(), from);
  }
  return DeviceTensor.fromHost(whole, [out, n]);
}
