import type { BlockLayout } from '../families/family.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { ReusedArrays } from '../runtime/reusedArrays.ts';
import type { BlockSolvers } from './blockSolvers.ts';
import type { BlockStatistics } from './blockStatistics.ts';

/** A block as the sweep comes to it. */
export interface BlockVisit {
  readonly index: number;
  readonly layout: BlockLayout;
  readonly block: Weights;
  /** No block comes after this one: calibration ends here. */
  readonly last: boolean;
  /** Statistics of the dense model, where calibration is one-shot. */
  readonly statistics: BlockStatistics | undefined;
  /** What updates need of the dense model's block, where calibration is one-shot and the block is updated. */
  readonly solvers: BlockSolvers | undefined;
  /** Where H lies: of one block at a time. */
  readonly arrays: ReusedArrays;
  /** Where H of what is refitted lies: {@link solvers} may be open beside it. */
  readonly refitArrays: ReusedArrays;
  /** The operand G by the layers' names, where a metric uses it. */
  readonly gradients: Weights | undefined;
  /** For a person: "block 3 of 6". */
  readonly where: string;
}
