import type { ModelMask } from '../../experiment/structureSchema.ts';
import type { BlockFill } from '../forward/maskInputs.ts';

/** A model that whole components are left out of: what it computes is what the smaller model would. */
export interface RemovedModel {
  /** For messages: what chose them. */
  readonly metric: string;
  readonly mask: ModelMask;
  /** Of each block, where removal is compensated. */
  readonly fills?: readonly BlockFill[] | undefined;
  /** Share of the blocks' weights that goes. */
  readonly actualSparsity: number;
}
