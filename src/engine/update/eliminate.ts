import { minusProducts } from '../algebra/tiles.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { eliminateColumns } from './eliminateColumns.ts';
import type { Columns, MaskChoice } from './maskChoice.ts';

/** Columns that go weight by weight: fewer are more products, more are more loops. */
const LEAF = 16;

/**
 * Works off a panel of columns from left to right: what a weight that goes leaves behind is taken off the columns behind it in the panel. By halves: what
 * the left one leaves to the right one is a product of matrices, where that is not a way to a device and back.
 *
 * @param r [width, width]: the tile of R on the diagonal, upper
 * @param errors [width, rows], written: e = w_j / R_jj where a weight goes, else 0
 * @param choice of what goes, made as soon as the columns before are worked off; without it `columns.gone` says what goes
 */
export async function eliminate(
  device: Device,
  columns: Columns,
  r: Float32Array,
  errors: Float32Array,
  choice: MaskChoice | undefined,
): Promise<void> {
  const leaf = device.resident ? columns.width : LEAF;
  const work = async (from: number, to: number, chosen: boolean): Promise<void> => {
    if (choice && !chosen && to - from <= choice.columns) {
      choice.choose(columns, from, to);
      return work(from, to, true);
    }
    if (to - from <= leaf) {
      const step = choice && !chosen ? choice.columns : to - from;
      for (let begin = from; begin < to; begin += step) {
        const end = Math.min(begin + step, to);
        if (!chosen) choice?.choose(columns, begin, end);
        eliminateColumns(columns, r, errors, begin, end, to);
      }
      return;
    }
    const middle = from + halfOf(to - from, choice && !chosen ? unitOf(choice.columns) : LEAF);
    await work(from, middle, chosen);
    await takeOff(device, columns, r, errors, from, middle, to);
    await work(middle, to, chosen);
  };
  await work(0, columns.width, !choice);
}

/** Whole choices of a leaf, or one that takes several leaves. */
function unitOf(step: number): number {
  return step * Math.max(1, Math.floor(LEAF / step));
}

/** The largest power of two of units that leaves some over: widths that come again have one program. */
function halfOf(width: number, unit: number): number {
  return unit * 2 ** Math.floor(Math.log2((width - 1) / unit));
}

/** Takes what the columns `from` to `middle` leave behind off those up to `to`. */
async function takeOff(
  device: Device,
  { rows, width, values }: Columns,
  r: Float32Array,
  errors: Float32Array,
  from: number,
  middle: number,
  to: number,
): Promise<void> {
  const [left, right] = [middle - from, to - middle];
  const between = new Float32Array(left * right);
  for (let j = 0; j < left; j++) {
    const row = (from + j) * width;
    between.set(r.subarray(row + middle, row + to), j * right);
  }
  const behind = values.subarray(middle * rows, to * rows);
  const owed = [
    DeviceTensor.fromHost(between, [left, right]),
    DeviceTensor.fromHost(errors.subarray(from * rows, middle * rows), [left, rows]),
  ] as const;
  behind.set((await minusProducts(device, DeviceTensor.fromHost(behind, [right, rows]), [owed])).floats());
}
