import { EspalierError } from '../../base/errors.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { WeightSparsity } from '../../experiment/sparsitySchema.ts';
import { diagonalOf } from '../algebra/dampedGram.ts';
import { factorGram } from '../algebra/factorGram.ts';
import type { Gram } from '../algebra/gram.ts';
import type { InverseFactor } from '../algebra/inverseFactor.ts';
import { tileEdges } from '../algebra/rowStack.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { zeroBits } from '../runtime/zeroBits.ts';
import { givenMask, lowestOfBlock, lowestOfGroups, type MaskChoice } from './maskChoice.ts';
import { requireFinite } from './requireFinite.ts';
import { sweepColumns } from './sweepColumns.ts';
import type { PruningSolver } from './updateSolver.ts';

/**
 * SparseGPT (Frantar and Alistarh 2023; `sparsegpt.py` of its repository): columns go from left to right, and what a weight that goes leaves
 * behind, e = w_j / R_jj, is taken off the columns behind it, e · R_j. R is the upper factor of H⁻¹, damped by damping · mean diag(H). Inputs that
 * never fired have H_jj = 1, and their column becomes zero.
 *
 * All of it is computed on inputs scaled so that the damped H has a diagonal of 1: w / d and R · d with d = 1 / sqrt(H_jj + λ) leave e and
 * w² / R_jj² what they are.
 *
 * @param columns that SparseGPT's own mask is chosen in at a time
 * @throws EspalierError `recovery/ill-conditioned`
 */
export async function openSparseGpt(
  device: Device,
  gram: Gram,
  { damping: asked, columns }: { readonly damping: number; readonly columns: number },
  opening?: Pause,
): Promise<PruningSolver> {
  const n = gram.size;
  const sums = await diagonalOf(device, gram);
  const dead = sums.map((value) => Number(value === 0));
  const diagonal = sums.map((value) => (value === 0 ? 1 : value));
  const mean = diagonal.reduce((sum, value) => sum + value, 0) / n;
  const damp = (damping: number) => {
    const scale = diagonal.map((value) => 1 / Math.sqrt(value + damping * mean));
    const shift = scale.map((value, i) => (damping * mean + dead[i]!) * value ** 2);
    return { gram, scale, shift };
  };
  const usual = tileEdges(n);
  const { factor, damping, damped } = await factorGram(device, asked, usual, damp, opening);
  const sweep = async (weight: DeviceTensor, r: InverseFactor, choice: MaskChoice, pause: Pause | undefined) => {
    const updated = await sweepColumns(device, weight, r, damped.scale, dead, choice, pause);
    return requireFinite(device, await device.upload(updated, weight.shape, device.weightType), 'SparseGPT');
  };
  return {
    damping,
    async update(weight, pruned, pause) {
      return sweep(weight, factor, givenMask(await zeroBits(device, pruned), n), pause);
    },
    async prune(weight, sparsity, pause) {
      requireDivisible(n, sparsity);
      const choice =
        sparsity.kind === 'n:m'
          ? lowestOfGroups(sparsity.of, sparsity.of - sparsity.keep)
          : lowestOfBlock(columns, sparsity.share);
      const edges = tileEdges(n, choice.columns);
      if (edges.join() === usual.join()) return sweep(weight, factor, choice, pause);
      // Tiles that no group straddles.
      const aligned = await factorGram(device, damping, edges, damp, pause);
      try {
        return await sweep(weight, aligned.factor, choice, pause);
      } finally {
        aligned.factor.dispose();
      }
    },
    dispose: () => {
      factor.dispose();
    },
  };
}

function requireDivisible(n: number, sparsity: WeightSparsity): void {
  if (sparsity.kind === 'unstructured' || n % sparsity.of === 0) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `pruning by SparseGPT at ${printSparsity(sparsity)}`,
    expected: `a number of input columns that ${sparsity.of} divides`,
    actual: `${n} columns`,
    remedy: 'Choose another N:M, or a percentage.',
  });
}
