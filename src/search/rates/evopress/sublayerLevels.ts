import type { Rng } from '../../../base/rng.ts';
import { blockWeights } from '../../../experiment/components.ts';
import type { BlockComponents } from '../../../experiment/structureSchema.ts';
import { costOf, isWithin } from '../../../experiment/costLimit.ts';
import type { CostLimit } from '../../../experiment/costLimit.ts';
import type { BlockSize } from '../../../experiment/costs.ts';
import { equalUnits } from './levels.ts';
import type { LevelSpace } from './levels.ts';

/**
 * The attention layers of all blocks, then their MLP layers: level 1 drops one as a whole. Of those of one weight as many go as come closest
 * to the sparsity; attention is switched with attention, MLP with MLP. Under a budget as many go as the model needs to be within its limit, the same share
 * of both kinds as far as that goes, and a switch that would leave it is none.
 *
 * @param share of each block's weights that the search is to remove; where there is a limit that counts in its place
 */
export function sublayerLevels(components: readonly BlockComponents[], share: number, limit?: CostLimit): LevelSpace {
  const blocks = components.length;
  const attention = components.map(({ groups, groupWeights }) => groups * groupWeights);
  const mlp = components.map(({ channels, channelWeights }) => channels * channelWeights);
  const groups = [...equalUnits(attention), ...equalUnits(mlp, blocks)];
  const meets = (levels: readonly number[]): boolean =>
    limit === undefined || isWithin(limit, costOf(limit, keptWithout(components, levels)));
  return {
    groups,
    step: 1,
    top: 1,
    draw: (rng) => {
      const levels = Array.from({ length: 2 * blocks }, () => 0);
      if (limit) return drawnWithin(levels, groups, meets, rng);
      for (const group of groups)
        for (const unit of drawn(group, Math.round(share * group.length), rng)) levels[unit] = 1;
      return levels;
    },
    ...(limit && {
      lowered: (levels, down) => {
        const switchedOn = levels.with(down, 0);
        return meets(switchedOn) ? switchedOn : undefined;
      },
    }),
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

/** Drops one after the other until a budget is met, whichever kind has the smaller share of its own gone by then, at random within it. */
function drawnWithin(
  levels: number[],
  groups: LevelSpace['groups'],
  meets: (levels: readonly number[]) => boolean,
  rng: Rng,
): readonly number[] {
  const left = groups.map((group) => ({ of: group.length, units: [...drawn(group, group.length, rng)] }));
  while (!meets(levels)) {
    const [next] = left
      .filter(({ units }) => units.length > 0)
      .sort((a, b) => b.units.length / b.of - a.units.length / a.of);
    if (next === undefined) return levels;
    levels[next.units.shift()!] = 1;
  }
  return levels;
}

/** What the blocks keep without their dropped layers. */
export function keptWithout(components: readonly BlockComponents[], levels: readonly number[]): readonly BlockSize[] {
  return components.map(({ groups, channels }, index): BlockSize => {
    const [attention, mlp] = [levels[index] === 1, levels[components.length + index] === 1];
    return attention && mlp ? 'dropped' : { groups: attention ? 0 : groups, channels: mlp ? 0 : channels };
  });
}
