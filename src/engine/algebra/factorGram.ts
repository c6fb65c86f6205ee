import { EspalierError } from '../../base/errors.ts';
import { Rng } from '../../base/rng.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import type { DampedGram } from './dampedGram.ts';
import { type InverseFactor, inverseFactor } from './inverseFactor.ts';
import { multiply } from './tiles.ts';

/** A factor and the damping that it took. */
export interface DampedFactor {
  readonly factor: InverseFactor;
  readonly damped: DampedGram;
  readonly damping: number;
}

/**
 * R of what `damp` makes of a Gram matrix and a damping, tested: R A Rᵀ − I, which is how far the matrix whose factor it is lies from A as a share
 * of A, on random vectors. Where a pivot is not positive or the share is above {@link MOST_RESIDUAL}, the damping is raised by tens.
 *
 * @throws EspalierError `recovery/ill-conditioned` where damping by {@link MOST_DAMPING} is not enough, or H has sums that are not finite
 */
export async function factorGram(
  device: Device,
  damping: number,
  edges: readonly number[],
  damp: (damping: number) => DampedGram,
  pause?: Pause,
): Promise<DampedFactor> {
  let actual = 'sums that are not finite';
  for (let tried = damping; ; tried = tried === 0 ? LEAST_DAMPING : tried * 10) {
    const damped = damp(tried);
    if (![...damped.scale, ...damped.shift].every(Number.isFinite)) break;
    const factor = await inverseFactor(device, damped, edges, pause);
    const residual = factor && (await residualOf(device, damped, factor));
    if (factor && residual! <= MOST_RESIDUAL) return { factor, damped, damping: tried };
    factor?.dispose();
    actual = factor ? `a residual of ${residual!.toPrecision(3)}` : 'a pivot that is not positive';
    actual += ` when damped by ${Number(tried.toPrecision(6))}`;
    if (tried * 10 > MOST_DAMPING) break;
  }
  throw new EspalierError({
    code: 'recovery/ill-conditioned',
    operation: 'factoring the Gram matrix of a layer’s inputs',
    expected: `a factor with a residual of ${MOST_RESIDUAL} at most`,
    actual,
    remedy: 'Calibrate with more samples or another text, or leave the update out.',
  });
}

/** Share of A that a factor may be off by. */
const MOST_RESIDUAL = 0.01;

/** Damping that is tried first where none was asked for and it does not do without, and the largest that is tried. */
const [LEAST_DAMPING, MOST_DAMPING] = [1e-4, 10];

const PROBES = 8;

/** |R A Rᵀ x − x| / |x| over a few random vectors of ±1. */
export async function residualOf(device: Device, damped: DampedGram, factor: InverseFactor): Promise<number> {
  const n = damped.gram.size;
  const rng = new Rng(n);
  const x = Float32Array.from({ length: n * PROBES }, () => (rng.uint32() & 1 ? 1 : -1));
  const y = await timesFactor(
    device,
    factor,
    await timesGram(device, damped, await timesFactor(device, factor, x, true)),
    false,
  );
  let squares = 0;
  for (let i = 0; i < y.length; i++) squares += (y[i]! - x[i]!) ** 2;
  return Math.sqrt(squares / y.length);
}

/** Rᵀ x, or R x where `transposed` does not hold, with x [n, probes]. */
async function timesFactor(
  device: Device,
  { edges, columns }: InverseFactor,
  x: Float32Array,
  transposed: boolean,
): Promise<Float32Array> {
  const y = new Float32Array(x.length);
  for (const [j, column] of columns.entries()) {
    let row = 0;
    for (const part of column.parts()) {
      const [height] = part.shape as [number, number];
      const [from, rows, to] = transposed ? [row, height, edges[j]!] : [edges[j]!, column.width, row];
      const values = x.subarray(from * PROBES, (from + rows) * PROBES);
      const right = await device.upload(values, [rows, PROBES], 'float32');
      const product = await multiply(device, part, right, { transposeA: transposed });
      (await device.download(product)).forEach((value, at) => (y[to * PROBES + at]! += value));
      right.dispose();
      product.dispose();
      row += height;
    }
  }
  return y;
}

/** A x = D (H (D x)) + shift ⊙ x */
async function timesGram(device: Device, { gram, scale, shift }: DampedGram, x: Float32Array): Promise<Float32Array> {
  const scaled = await device.upload(
    x.map((value, at) => value * scale[Math.floor(at / PROBES)]!),
    [gram.size, PROBES],
    'float32',
  );
  const product = await multiply(device, gram.sums, scaled);
  const values = await device.download(product);
  scaled.dispose();
  product.dispose();
  return values.map((value, at) => {
    const i = Math.floor(at / PROBES);
    return value * scale[i]! + shift[i]! * x[at]!;
  });
}
