import type { Rng } from '../../../base/rng.ts';
import { blockWeights } from '../../../experiment/components.ts';
import type { BlockComponents } from '../../../experiment/structureSchema.ts';
import { equalUnits } from './levels.ts';
import type { LevelSpace } from './levels.ts';

/**
 * The attention layers of all blocks, then their MLP layers: level 1 drops one as a whole. Of those of one weight as many go as come closest
 * to the sparsity; attention is switched with attention, MLP with MLP.
 *
 * @param share of each block's weights that the search is to remove
 */
export function sublayerLevels(components: readonly BlockComponents[], share: number): LevelSpace {
  const blocks = components.length;
  const attention = components.map(({ groups, groupWeights }) => groups * groupWeights);
  const mlp = components.map(({ channels, channelWeights }) => channels * channelWeights);
  const groups = [...equalUnits(attention), ...equalUnits(mlp, blocks)];
  return {
    groups,
    step: 1,
    top: 1,
    draw: (rng) => {
      const levels = Array.from({ length: 2 * blocks }, () => 0);
      for (const group of groups)
        for (const unit of drawn(group, Math.round(share * group.length), rng)) levels[unit] = 1;
      return levels;
    },
    configurationOf: (levels) => ({
      rates: components.map((block, i) => {
        const weights = blockWeights(block);
        return weights > 0 ? (levels[i]! * attention[i]! + levels[blocks + i]! * mlp[i]!) / weights : 0;
      }),
      dropped: {
        attention: components.flatMap((_, i) => (levels[i] === 1 ? [i] : [])),
        mlp: components.flatMap((_, i) => (levels[blocks + i] === 1 ? [i] : [])),
      },
    }),
    needs: {
      expected: 'attention or MLP layers of equal size, of which some go and some stay',
      remedy: 'Choose a sparsity that comes to more layers, or to fewer.',
    },
  };
}

/** Different ones, in the order of drawing. */
function drawn(units: readonly number[], count: number, rng: Rng): readonly number[] {
  const left = [...units];
  return Array.from({ length: count }, () => left.splice(rng.integer(left.length), 1)[0]!);
}
