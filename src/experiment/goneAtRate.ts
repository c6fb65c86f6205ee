import { blockWeights } from './components.ts';
import type { KeptSize } from './costs.ts';
import type { BlockComponents } from './structureSchema.ts';

/** How many groups and channels a block loses at a rate: groups first, as many as the rate is of them, halves rounded up; then channels to its share. */
export function goneAtRate(
  block: BlockComponents,
  rate: number,
): { readonly groups: number; readonly channels: number } {
  const { groups, groupWeights, channels, channelWeights } = block;
  const gone = Math.min(groups, Math.floor(rate * groups + 0.5));
  const lost = groups > 0 ? (gone / groups) * (groups * groupWeights) : 0;
  const missing = rate * blockWeights(block) - lost;
  return {
    groups: gone,
    channels: Math.max(0, Math.min(channels, Math.floor(missing / channelWeights + 0.5))),
  };
}

/** How many experts a block loses at a rate; one stays in any case. */
export function expertsGoneAtRate({ experts = 0 }: BlockComponents, rate: number): number {
  return Math.min(Math.floor(rate * experts + 0.5), experts - 1);
}

/** What the blocks keep of their groups and channels at rates of their own. */
export function keptAtRates(components: readonly BlockComponents[], rates: readonly number[]): readonly KeptSize[] {
  return components.map((block, index) => keptAtRate(block, rates[index]!));
}

export function keptAtRate(block: BlockComponents, rate: number): KeptSize {
  if (block.experts !== undefined) {
    const { groups, channels, experts } = block;
    return { groups, channels, experts: experts - expertsGoneAtRate(block, rate) };
  }
  const gone = goneAtRate(block, rate);
  return { groups: block.groups - gone.groups, channels: block.channels - gone.channels };
}
