import type { WeightSparsity } from '../../experiment/sparsitySchema.ts';
import type { Pause } from '../runtime/pause.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Changes the weights that stay of every layer that reads one input: what depends on H alone is there once. */
export interface UpdateSolver {
  /** The damping that was used: more than was asked for where H took more. */
  readonly damping: number;
  /**
   * The updated weight, of the device's weight type; zero exactly where `pruned` is.
   *
   * @param weight [out, in], of the device's weight type
   * @param pruned like the weight; zero where it goes
   */
  update(weight: DeviceTensor, pruned: DeviceTensor, pause?: Pause): Promise<DeviceTensor>;
  dispose(): void;
}

/** SparseGPT can choose what goes, too. */
export interface PruningSolver extends UpdateSolver {
  /**
   * The weight pruned by SparseGPT's own mask, and updated.
   *
   * @throws EspalierError `settings/invalid` where N:M does not divide the columns
   */
  prune(weight: DeviceTensor, sparsity: WeightSparsity, pause?: Pause): Promise<DeviceTensor>;
}
