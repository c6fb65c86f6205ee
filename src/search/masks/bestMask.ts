import { sum } from '../../base/sum.ts';
import { blockWeights } from '../../experiment/components.ts';
import type { MaskSpace } from './maskSpace.ts';
import type { MaskSearchSettings } from './settings.ts';

/**
 * What probabilities come to: the components with the highest ones stay. There is one threshold for the groups of the model and one
 * for its channels, or one each for every block where each has its own budget.
 *
 * As many groups go as their share comes to, rounded half up; then as many channels as bring the weights that went nearest to the
 * share asked for. Where blocks may go they go first (as many as come nearest to their share, but for the likeliest one, without which
 * there would be no model), and the rest is what those that stay have to give. Of equal probabilities those go first that come first in
 * their blocks, so that blocks share them.
 *
 * @param keep share of the blocks' weights
 * @returns a row of the space, 1 where kept; of a block that goes nothing is kept
 */
export function bestMask(
  space: MaskSpace,
  probabilities: Float32Array,
  keep: number,
  { components: kinds, budget }: Pick<MaskSearchSettings, 'components' | 'budget'>,
): Uint8Array {
  const { components } = space;
  const weights = components.map(blockWeights);
  const toLose = (1 - keep) * sum(weights);
  const kept = new Uint8Array(space.size).fill(1);
  const remove = (items: readonly Item[]): void => {
    for (const { at } of items) kept[at] = 0;
  };

  let standing = components.map((_, i) => i);
  if (kinds !== 'heads-channels') {
    const blocks = lowest(blockItems(space, probabilities)).slice(0, -1);
    const share = kinds === 'layers' ? toLose : (1 - Math.sqrt(keep)) * sum(weights);
    const gone = lowestByWeight(blocks, share, kinds === 'layers' ? Infinity : toLose);
    remove(gone);
    for (const { block } of gone) remove(itemsOf(space, probabilities, [block]));
    standing = standing.filter((i) => gone.every(({ block }) => block !== i));
  }
  if (kinds === 'layers') return kept;

  const left = sum(standing.map((i) => weights[i]!));
  const share = left === 0 ? 0 : Math.max(0, toLose - (sum(weights) - left)) / left;
  for (const part of budget === 'layer' ? standing.map((i) => [i]) : [standing]) {
    const [groups, channels] = [
      itemsOf(space, probabilities, part, 'groups'),
      itemsOf(space, probabilities, part, 'channels'),
    ];
    const goneGroups = lowest(groups).slice(0, Math.floor(share * groups.length + 0.5));
    remove(goneGroups);
    const lost = sum(goneGroups.map(({ weight }) => weight));
    remove(lowestByWeight(channels, share * sum(part.map((i) => weights[i]!)) - lost));
  }
  return kept;
}

/** A component that may go. */
interface Item {
  /** Place in the row. */
  readonly at: number;
  readonly block: number;
  /** Place in its block. */
  readonly index: number;
  readonly probability: number;
  readonly weight: number;
}

function itemsOf(
  { components, groups, channels }: MaskSpace,
  probabilities: Float32Array,
  blocks: readonly number[],
  kind?: 'groups' | 'channels',
): readonly Item[] {
  const items: Item[] = [];
  for (const block of blocks) {
    const { groups: groupCount, channels: channelCount, groupWeights, channelWeights } = components[block]!;
    const add = (begin: number, count: number, weight: number): void => {
      for (let index = 0; index < count; index++) {
        items.push({ at: begin + index, block, index, probability: probabilities[begin + index]!, weight });
      }
    };
    if (kind !== 'channels') add(groups[block]!, groupCount, groupWeights);
    if (kind !== 'groups') add(channels[block]!, channelCount, channelWeights);
  }
  return items;
}

function blockItems({ components, blocks }: MaskSpace, probabilities: Float32Array): readonly Item[] {
  return components.map((component, block) => {
    const at = blocks + block;
    return { at, block, index: 0, probability: probabilities[at]!, weight: blockWeights(component) };
  });
}

function lowest(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => a.probability - b.probability || a.index - b.index || a.block - b.block);
}

/** The lowest ones whose weight together comes nearest to what is to be lost, rounded half up, and not above `limit`. */
function lowestByWeight(items: readonly Item[], toLose: number, limit = Infinity): readonly Item[] {
  const gone: Item[] = [];
  let lost = 0;
  for (const item of lowest(items)) {
    // A little for the arithmetic: half a component is half a component.
    if (toLose - lost < item.weight * (0.5 - 1e-9) || lost + item.weight > limit * (1 + 1e-12)) break;
    gone.push(item);
    lost += item.weight;
  }
  return gone;
}
