import type { BlockComponents } from '../../experiment/structureSchema.ts';
import { blockShape } from '../families/config.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import { couplings, type Parts } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';

/**
 * What can be removed from a block, and the weights that go with it: with a key-value group its rows of what makes queries, keys and values
 * and its columns of the output projection, with a channel its rows of the MLP's first projections and its column of the last.
 */
export function componentsOf(config: ModelConfig, index: number): BlockComponents {
  const { kvHeads: groups, intermediate: channels } = blockShape(config, index);
  // Removal takes whole parts, so they are those of the whole block; one without heads has none of its own.
  const whole = couplings(familyOf(config).block({ ...config, blocks: undefined }, index));
  const weights = (of: Parts['of']): number =>
    whole.reduce((sum, { linear, parts, shape }) => sum + (linear && parts.of === of ? sizeOf(shape) : 0), 0);
  return {
    groups,
    channels,
    groupWeights: weights('groups') / config.kvHeads,
    channelWeights: weights('channels') / config.intermediate,
  };
}

/** The components of every block. */
export function modelComponents(config: ModelConfig): readonly BlockComponents[] {
  return config.windows.map((_, index) => componentsOf(config, index));
}
