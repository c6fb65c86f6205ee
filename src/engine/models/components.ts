import type { BlockComponents } from '../../experiment/structureSchema.ts';
import { blockShape } from '../families/config.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import type { Parameter, Parts } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';

/**
 * What can be removed from a block, and the weights that go with it: with a key-value group its rows of what makes queries, keys and values
 * and its columns of the output projection, with a channel its rows of the MLP's first projections and its column of the last, with an expert
 * its layers and its row of the router.
 */
export function componentsOf(config: ModelConfig, index: number): BlockComponents {
  const { kvHeads: groups, intermediate: channels, experts } = blockShape(config, index);
  // Removal takes whole parts, so they are those of the whole block; one without heads has none of its own.
  const { parameters } = familyOf(config).block({ ...config, blocks: undefined }, index);
  const weightsWhere = (isMeant: (linear: Parameter) => boolean): number =>
    parameters.reduce((sum, layer) => sum + (layer.linear && isMeant(layer) ? sizeOf(layer.shape) : 0), 0);
  const weights = (of: Parts['of']): number => weightsWhere(({ parts }) => parts?.of === of);
  return {
    groups,
    channels,
    groupWeights: weights('groups') / config.kvHeads,
    channelWeights: weights('channels') / config.intermediate,
    ...(experts !== undefined && {
      experts,
      expertWeights: weightsWhere(({ expert }) => expert === 0),
      sharedWeights: weightsWhere(({ expert, parts }) => expert === undefined && parts === undefined),
    }),
  };
}

/** The components of every block. */
export function modelComponents(config: ModelConfig): readonly BlockComponents[] {
  return config.windows.map((_, index) => componentsOf(config, index));
}
