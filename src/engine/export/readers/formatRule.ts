import type { FormatVerdict } from '../../../experiment/readersSchema.ts';
import type { ModelConfig } from '../../families/families.ts';

/**
 * Whether a reader loads a model that is written in a format, as far as its config.json decides it: the family, the sizes of every block and the biases
 * that an export would have. Nothing is read of the weights.
 *
 * @param config of the pruned model
 */
export type FormatRule = (config: ModelConfig) => FormatVerdict;
