import { tileEdges } from '../algebra/rowStack.ts';
import { multiply } from '../algebra/tiles.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Columns, MaskChoice } from './maskChoice.ts';

/** Columns that go weight by weight: fewer are more products, more are more loops. Measured on two cores; 16 and 64 are slower. */
const STRIP = 32;

/**
 * Works off a panel of columns from left to right: what a weight that goes leaves behind is taken off the columns behind it in the panel. Strips of a
 * few columns go weight by weight, in float64; what a strip leaves to those behind it is a product, where that is not a way to a device and back.
 *
 * @param r [width, width]: the tile of R on the diagonal, upper
 * @param choice of what goes, made as soon as the columns before are worked off; without it `columns.gone` says what goes
 * @returns e, transposed, [width, rows]: w_j / R_jj where a weight goes, else 0
 */
export async function eliminate(
  device: Device,
  columns: Columns,
  r: Float64Array,
  choice: MaskChoice | undefined,
): Promise<Float32Array> {
  const { width, values } = columns;
  const errors = new Float32Array(values.length);
  const step = choice?.columns ?? width;
  const edges = device.resident ? [0, width] : tileEdges(width, Math.min(step, width), STRIP);
  let chosen = 0;
  for (const [i, end] of edges.slice(1).entries()) {
    for (let from = edges[i]!; from < end; from = Math.min(chosen, end)) {
      if (from === chosen) {
        chosen = Math.min(from + step, width);
        choice?.choose(columns, from, chosen);
      }
      eliminateStrip(columns, r, errors, from, Math.min(chosen, end), end);
    }
    if (end < width) await takeOff(device, columns, r, errors, edges[i]!, end);
  }
  return errors;
}

/** Works off the columns `from` to `to`; those up to `end` are updated. */
function eliminateStrip(
  { width, values, gone }: Columns,
  r: Float64Array,
  errors: Float32Array,
  from: number,
  to: number,
  end: number,
): void {
  const rows = values.length / width;
  for (let row = 0; row < rows; row++) {
    const begin = row * width;
    for (let j = from; j < to; j++) {
      if (gone[begin + j] === 0) continue;
      const error = values[begin + j]! / r[j * width + j]!;
      errors[j * rows + row] = error;
      for (let k = j + 1; k < end; k++) values[begin + k]! -= error * r[j * width + k]!;
    }
  }
}

/** Takes what the columns `from` to `to` leave behind off all behind them. */
async function takeOff(
  device: Device,
  { width, values }: Columns,
  r: Float64Array,
  errors: Float32Array,
  from: number,
  to: number,
): Promise<void> {
  const rows = values.length / width;
  const behind = width - to;
  const right = new Float32Array((to - from) * behind);
  for (let j = from; j < to; j++) right.set(r.subarray(j * width + to, (j + 1) * width), (j - from) * behind);
  const e = DeviceTensor.fromHost(errors.subarray(from * rows, to * rows), [to - from, rows]);
  const product = await multiply(device, e, DeviceTensor.fromHost(right, [to - from, behind]), { transposeA: true });
  const owed = product.floats();
  for (let row = 0; row < rows; row++) {
    const [begin, first] = [row * width + to, row * behind];
    for (let k = 0; k < behind; k++) values[begin + k]! -= owed[first + k]!;
  }
}
