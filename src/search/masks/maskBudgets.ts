import { sum } from '../../base/sum.ts';
import type { CostLimit } from '../../experiment/costLimit.ts';
import type { MaskSpace } from './maskSpace.ts';
import { isJoint } from './maskWithin.ts';
import type { MaskSearchSettings } from './settings.ts';

/**
 * The budgets of keep-probabilities where the plan says what the model may cost: components weigh what they cost, in straight lines from a block that
 * keeps nothing to the dense one, so that the expected cost is the limit. Heads and channels share one budget: what is dear and of little use goes first.
 *
 * @param space with the budgets of a share
 * @returns the same space where each level or block has a budget of its own: these keep the share that equal rates leave
 */
export function withCosts(
  space: MaskSpace,
  limit: CostLimit,
  settings: Pick<MaskSearchSettings, 'components' | 'budget'>,
): MaskSpace {
  const { components, groups, channels, blocks, size } = space;
  const { most, outside, costOfBlock } = limit;
  const atMost = settings.budget === 'at-most' && { atMost: true };
  if (settings.components === 'layers') {
    const costs = Float64Array.from(limit.blocks, (block, index) => costOfBlock(index, block));
    const keep = share(most - outside, sum([...costs]));
    return { ...space, budgets: [{ begin: blocks, end: size, keep, costs, ...atMost }] };
  }
  if (!isJoint(settings)) return space;
  const costs = new Float64Array(blocks);
  let fixed = outside;
  for (const [index, block] of components.entries()) {
    const linear = linearCosts(limit, index, block);
    fixed += linear.nothing;
    costs.fill(linear.group, groups[index], groups[index + 1]);
    costs.fill(linear.channel, channels[index], channels[index + 1]);
  }
  const keep = share(most - fixed, sum([...costs]));
  return { ...space, budgets: [{ begin: 0, end: blocks, keep, costs, ...atMost }] };
}

/** What one group and one channel of a block cost in the mean, stretched so that all of them together cost what a dense block does beyond an empty one. */
function linearCosts(
  { costOfBlock }: CostLimit,
  index: number,
  { groups, channels }: MaskSpace['components'][number],
): { readonly nothing: number; readonly group: number; readonly channel: number } {
  const dense = costOfBlock(index, { groups, channels });
  const nothing = costOfBlock(index, { groups: 0, channels: 0 });
  const attention = dense - costOfBlock(index, { groups: 0, channels });
  const mlp = dense - costOfBlock(index, { groups, channels: 0 });
  const both = attention + mlp;
  const stretch = both > 0 ? (dense - nothing) / both : 0;
  return {
    nothing,
    group: groups > 0 ? (stretch * attention) / groups : 0,
    channel: channels > 0 ? (stretch * mlp) / channels : 0,
  };
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 1;
}
