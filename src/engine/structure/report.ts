import { countBits, packBits, removedShare } from '../../experiment/components.ts';
import type { BlockComponents, Structure, StructureReport } from '../../experiment/structureSchema.ts';
import type { ModelConfig } from '../families/families.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters } from '../families/families.ts';
import type { ChosenMask } from './chooseMask.ts';
import { removedConfig } from './removedConfig.ts';

/** What a mask really removes from a model. */
export function structureReport(
  structure: Structure,
  config: ModelConfig,
  components: readonly BlockComponents[],
  { mask, rates, budget }: ChosenMask,
  compensated: boolean,
): StructureReport {
  const scored = structure.kind === 'scored';
  return {
    method: !scored ? 'mask' : structure.score.kind === 'method' ? structure.score.method : 'metric',
    allocation: scored ? structure.rates.kind : 'mask',
    blocks: mask.map((block, index) => {
      const { groups, channels, experts } = components[index]!;
      const expertBits = block.experts ?? packBits(new Uint8Array(experts ?? 0).fill(1));
      const kept = (bits: string): number => (block.dropped ? 0 : countBits(bits));
      return {
        ...(rates && { rate: rates[index]! }),
        removed: removedShare(components[index]!, block),
        groups: { kept: kept(block.groups), of: groups },
        channels: { kept: kept(block.channels), of: channels },
        groupBits: block.groups,
        channelBits: block.channels,
        ...(experts !== undefined && { experts: { kept: kept(expertBits), of: experts }, expertBits }),
        ...(block.dropped && { dropped: true as const }),
      };
    }),
    parameters: {
      dense: countParameters(config),
      pruned: countParameters(removedConfig(config, mask, compensated)),
    },
    ...(budget && { budget }),
  };
}

function countParameters(config: ModelConfig): number {
  return allParameters(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
