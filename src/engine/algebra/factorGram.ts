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

/** |x R A Rᵀ − x| / |x| over a few random rows of ±1. */
export async function residualOf(device: Device, damped: DampedGram, factor: InverseFactor): Promise<number> {
  const n = damped.gram.size;
  const rng = new Rng(n);
  const x = Float32Array.from({ length: PROBES * n }, () => (rng.uint32() & 1 ? 1 : -1));
  const y = await timesFactor(
    device,
    factor,
    await timesGram(device, damped, await timesFactor(device, factor, x, false)),
    true,
  );
  let squares = 0;
  for (let i = 0; i < y.length; i++) squares += (y[i]! - x[i]!) ** 2;
  return Math.sqrt(squares / y.length);
}

/** x R, or x Rᵀ where `transposed`, with rows x [probes, n]. */
async function timesFactor(
  device: Device,
  { edges, columns }: InverseFactor,
  x: Float32Array,
  transposed: boolean,
): Promise<Float32Array> {
  const n = edges.at(-1)!;
  const y = new Float32Array(x.length);
  for (const [j, column] of columns.entries()) {
    let row = 0;
    for (const part of column.parts()) {
      const [height] = part.shape as [number, number];
      const [from, rows, to] = transposed ? [edges[j]!, column.width, row] : [row, height, edges[j]!];
      const left = await device.upload(columnsOf(x, n, from, rows), [PROBES, rows], 'float32');
      const product = await multiply(device, left, part, { transposeB: transposed });
      addColumns(y, n, to, await device.download(product));
      left.dispose();
      product.dispose();
      row += height;
    }
  }
  return y;
}

function columnsOf(x: Float32Array, n: number, first: number, count: number): Float32Array {
  const part = new Float32Array(PROBES * count);
  for (let i = 0; i < PROBES; i++) part.set(x.subarray(i * n + first, i * n + first + count), i * count);
  return part;
}

function addColumns(y: Float32Array, n: number, first: number, part: Float32Array): void {
  const count = part.length / PROBES;
  for (let i = 0; i < PROBES; i++) {
    for (let j = 0; j < count; j++) y[i * n + first + j]! += part[i * count + j]!;
  }
}

/** x A = ((x D) H) D + x ⊙ shift, with rows x [probes, n] */
async function timesGram(device: Device, { gram, scale, shift }: DampedGram, x: Float32Array): Promise<Float32Array> {
  const n = gram.size;
  const scaled = new Float32Array(x.length);
  for (let at = 0; at < x.length; at++) scaled[at] = x[at]! * scale[at % n]!;
  const left = await device.upload(scaled, [PROBES, n], 'float32');
  const product = await multiply(device, left, gram.sums);
  const y = new Float32Array(await device.download(product));
  left.dispose();
  product.dispose();
  for (let at = 0; at < y.length; at++) y[at] = y[at]! * scale[at % n]! + shift[at % n]! * x[at]!;
  return y;
}
