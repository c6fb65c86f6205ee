import { EspalierError } from '../../base/errors.ts';
import type { BlockComponents } from '../../experiment/structureSchema.ts';

/** How many groups and channels a block keeps. */
export interface BlockSizes {
  readonly groups: number;
  readonly channels: number;
}

/** Which sizes a reader, or a type of weights, accepts. */
export interface SizeRule {
  /** For messages: "vllm". */
  readonly name: string;
  readonly acceptsGroups: (groups: number) => boolean;
  /** Channels come in multiples of it. */
  readonly channelStep: number;
  /** What all blocks that have any have as many of. */
  readonly alike: 'nothing' | 'groups' | 'groups and channels';
}

/**
 * The nearest sizes that a rule accepts: first of groups, then channels such that the block keeps as many weights as before. What a block is off by
 * goes to the next one, so that all together keep nearly what they kept. What was gone altogether stays gone.
 *
 * @param sizes at the rates as they were asked
 * @throws EspalierError `settings/invalid` where the rule accepts no number of groups that a block could have
 */
export function roundSizes(
  components: readonly BlockComponents[],
  sizes: readonly BlockSizes[],
  rule: SizeRule,
): readonly BlockSizes[] {
  const groups = roundGroups(components, sizes, rule);
  const kept = ({ groupWeights, channelWeights }: BlockComponents, size: BlockSizes): number =>
    size.groups * groupWeights + size.channels * channelWeights;
  if (rule.alike === 'groups and channels') {
    const total = components.reduce((sum, block, i) => sum + kept(block, sizes[i]!), 0);
    const inGroups = components.reduce((sum, block, i) => sum + groups[i]! * block.groupWeights, 0);
    const each = components.reduce((sum, { channelWeights }) => sum + channelWeights, 0);
    const most = Math.min(...components.map((block) => block.channels));
    const channels = nearestMultiple((total - inGroups) / each, rule.channelStep, most);
    return groups.map((count) => ({ groups: count, channels }));
  }
  let missing = 0;
  return components.map((block, i) => {
    const wanted = kept(block, sizes[i]!) + missing;
    const { groupWeights, channelWeights } = block;
    const channels =
      sizes[i]!.channels === 0
        ? 0
        : nearestMultiple((wanted - groups[i]! * groupWeights) / channelWeights, rule.channelStep, block.channels);
    const size = { groups: groups[i]!, channels };
    missing = wanted - kept(block, size);
    return size;
  });
}

function roundGroups(
  components: readonly BlockComponents[],
  sizes: readonly BlockSizes[],
  rule: SizeRule,
): readonly number[] {
  if (rule.alike === 'nothing')
    return sizes.map(({ groups }, i) => (groups === 0 ? 0 : nearestAccepted(groups, components[i]!.groups, rule)));
  // Blocks that lost all their groups are left out where others may have them: a reader leaves such attentions out whole, but for the first one.
  const without = (i: number): boolean => rule.alike === 'groups' && sizes[i]!.groups === 0 && i > 0;
  const present = sizes.flatMap(({ groups }, i) => (without(i) ? [] : [groups]));
  const mean = present.reduce((sum, count) => sum + count, 0) / present.length;
  const most = Math.min(...components.filter((_, i) => !without(i)).map(({ groups }) => groups));
  const common = nearestAccepted(mean, most, rule);
  return sizes.map((_, i) => (without(i) ? 0 : common));
}

/** Of two that are as near the larger one. */
function nearestAccepted(groups: number, most: number, { name, acceptsGroups }: SizeRule): number {
  const accepted = Array.from({ length: most }, (_, i) => most - i).filter(acceptsGroups);
  const [first, ...others] = accepted;
  if (first === undefined) {
    throw new EspalierError({
      code: 'settings/invalid',
      operation: `rounding sizes for ${name}`,
      expected: `a number of groups from 1 to ${most} that ${name} accepts`,
      actual: 'none',
      remedy: 'Round for something else, or not at all.',
    });
  }
  return others.reduce((best, each) => (Math.abs(each - groups) < Math.abs(best - groups) ? each : best), first);
}

/** At least one step, and at most what there is. */
function nearestMultiple(value: number, step: number, most: number): number {
  const steps = Math.min(Math.floor(most / step), Math.max(1, Math.round(value / step)));
  return steps > 0 ? steps * step : most;
}
