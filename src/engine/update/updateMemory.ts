import type { UpdateMethod } from '../../experiment/updates.ts';

/** Bytes for each element of a matrix [n, n] that a solver takes beside H: at its most while it is opened, and from then on. */
const OF_SOLVER: Readonly<Record<UpdateMethod, { readonly opening: number; readonly open: number }>> = {
  // R is half a matrix in float32; what there is of U meanwhile is a quarter of one.
  sparsegpt: { opening: 3, open: 2 },
  // R, and of it the inverse, which is a whole one.
  admm: { opening: 6, open: 4 },
  reconstruct: { opening: 6, open: 4 },
};

/** Matrices like the weight, in float32, that an update of it takes at a time: SparseGPT's panels, errors and result; elsewhere the result. */
const OF_WEIGHT: Readonly<Record<UpdateMethod, number>> = { sparsegpt: 3, admm: 1, reconstruct: 1 };

/** What rows that are worked on at a time take, however many there are (rowChunks.ts). */
const CHUNKS = 8 * 2 ** 25;

/**
 * Most bytes that opening a solver of n inputs and updating one weight [out, n] with it take, beside H (4 n²) and the weights that go in.
 * On a device most of them are its own.
 */
export function updateMemory(method: UpdateMethod, out: number, n: number): number {
  const { opening, open } = OF_SOLVER[method];
  const updating =
    open * n * n + OF_WEIGHT[method] * 4 * out * n + (method === 'sparsegpt' ? 0 : Math.min(CHUNKS, 32 * out * n));
  return Math.max(opening * n * n, updating);
}
