import { sum } from '../../base/sum.ts';
import { costOf, isWithin, leastShare, unreachable } from '../../experiment/costLimit.ts';
import type { CostLimit } from '../../experiment/costLimit.ts';
import type { BlockSize } from '../../experiment/costs.ts';
import { bestMask } from './bestMask.ts';
import type { MaskSpace } from './maskSpace.ts';
import type { MaskSearchSettings } from './settings.ts';

type Kinds = Pick<MaskSearchSettings, 'components' | 'budget'>;

/** Whether heads and channels of the whole model share one budget. */
export function isJoint({ components, budget }: Kinds): boolean {
  return components === 'heads-channels' && budget !== 'layer';
}

/**
 * What probabilities come to under a budget: where heads and channels share it, or whole blocks go, those with the lowest probabilities go until the
 * model is within its limit, below it by less than the last one. Otherwise what {@link bestMask} keeps of the largest share that is within it.
 *
 * @returns a row of the space, 1 where kept; of a block that goes nothing is kept
 * @throws EspalierError `settings/invalid` where nothing meets the budget
 */
export function maskWithin(
  space: MaskSpace,
  probabilities: Float32Array,
  limit: CostLimit,
  settings: Kinds,
): Uint8Array {
  if (isJoint(settings)) return withoutLowest(space, limit, joint(space, probabilities));
  if (settings.components === 'layers') {
    // One block stays in any case.
    const order = byProbability(space.blocks, space.size, probabilities, (at) => at).slice(0, -1);
    return withoutLowest(space, limit, order);
  }
  const at = (share: number): Uint8Array => bestMask(space, probabilities, 1 - share, settings);
  return at(leastShare(limit, (share) => keptBy(space, at(share))));
}

/** What each block keeps by a row of the space. */
export function keptBy(space: MaskSpace, kept: Uint8Array): readonly BlockSize[] {
  return space.components.map((_, block) => keptOfBlock(space, kept, block));
}

function keptOfBlock({ groups, channels, blocks }: MaskSpace, kept: Uint8Array, block: number): BlockSize {
  if (kept[blocks + block] === 0) return 'dropped';
  const count = (begin: number, end: number): number =>
    kept.subarray(begin, end).reduce((total, bit) => total + bit, 0);
  return {
    groups: count(groups[block]!, groups[block + 1]!),
    channels: count(channels[block]!, channels[block + 1]!),
  };
}

/** Groups and channels, the lowest probability first; of equal ones those that come first in their blocks, so that blocks share them. */
function joint(space: MaskSpace, probabilities: Float32Array): readonly number[] {
  const { groups, channels } = space;
  const begins = [...groups.slice(0, -1), ...channels.slice(0, -1)];
  const placeInBlock = new Uint32Array(space.blocks);
  for (const [i, begin] of begins.entries()) {
    const end = begins[i + 1] ?? space.blocks;
    for (let at = begin; at < end; at++) placeInBlock[at] = at - begin;
  }
  return byProbability(0, space.blocks, probabilities, (at) => placeInBlock[at]!);
}

function byProbability(
  begin: number,
  end: number,
  probabilities: Float32Array,
  placeOf: (at: number) => number,
): readonly number[] {
  const order = Array.from({ length: end - begin }, (_, i) => begin + i);
  return order.sort((a, b) => probabilities[a]! - probabilities[b]! || placeOf(a) - placeOf(b) || a - b);
}

function withoutLowest(space: MaskSpace, limit: CostLimit, order: readonly number[]): Uint8Array {
  const kept = new Uint8Array(space.size).fill(1);
  const costs = space.components.map((_, block) => limit.costOfBlock(block, keptOfBlock(space, kept, block)));
  let cost = limit.outside + sum(costs);
  const blockOf = blocksOf(space);
  for (const at of order) {
    if (isWithin(limit, cost)) return kept;
    const block = blockOf(at);
    kept[at] = 0;
    if (at >= space.blocks) {
      kept.fill(0, space.groups[block], space.groups[block + 1]);
      kept.fill(0, space.channels[block], space.channels[block + 1]);
    }
    const before = costs[block]!;
    costs[block] = limit.costOfBlock(block, keptOfBlock(space, kept, block));
    cost += costs[block] - before;
  }
  // Differences add up: the sum itself has the last word.
  const least = costOf(limit, keptBy(space, kept));
  if (isWithin(limit, least)) return kept;
  throw unreachable(limit, least);
}

/** The block that each place of the row is of. */
function blocksOf({ groups, channels, blocks, size }: MaskSpace): (at: number) => number {
  const of = new Uint32Array(size);
  for (let block = 0; block < size - blocks; block++) {
    of.fill(block, groups[block], groups[block + 1]);
    of.fill(block, channels[block], channels[block + 1]);
    of[blocks + block] = block;
  }
  return (at) => of[at]!;
}
