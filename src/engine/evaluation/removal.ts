import type { ModelMask } from '../../experiment/structureSchema.ts';
import type { BlockFill } from '../forward/maskInputs.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { Refitter } from '../structure/refitter.ts';

export interface RemovedComponents {
  readonly mask: ModelMask;
  /** Of each block, where removal is compensated. */
  readonly fills?: readonly BlockFill[] | undefined;
}

/** The dense model without some components: what it computes is what the smaller model would. */
export interface Removal extends RemovedComponents {
  /** For messages: what chose them. */
  readonly metric: string;
  /** Share of the blocks' weights that goes. */
  readonly actualSparsity: number;
  /** Where what stays is refitted on the way. */
  readonly refitter?: Refitter | undefined;
}

/** By name the layers of a block that were refitted. */
export interface Refitted {
  readonly weights: Weights;
  /** To be called when the block has been run with them. */
  done(): void;
}
