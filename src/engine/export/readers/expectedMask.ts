import { packBits } from '../../../experiment/components.ts';
import type { StructureEvaluation } from '../../../experiment/planSchema.ts';
import { STRUCTURE_METHODS } from '../../../experiment/structure.ts';
import type { BlockComponents, ModelMask } from '../../../experiment/structureSchema.ts';
import type { SizeRule } from '../../structure/roundSizes.ts';
import { roundSizes } from '../../structure/roundSizes.ts';
import { maskOfBlocks, maskOfExperts, sizesAtRates } from '../../structure/masks.ts';

/** A mask that removes as many components of each block as an evaluation will; not which. */
export interface ExpectedMask {
  readonly mask: ModelMask;
  /** Whether each block will have these sizes; else scores decide, and the rates are taken to rise from block to block. */
  readonly exact: boolean;
}

/** How far rates reach to both sides of their mean where scores decide them: OWL's λ. */
const SPREAD = 0.08;

export function expectedMask(
  { structure, sparsity: { share } }: Pick<StructureEvaluation, 'structure' | 'sparsity'>,
  components: readonly BlockComponents[],
  rule: SizeRule | undefined,
): ExpectedMask {
  if (structure.kind === 'mask') return { mask: structure.mask, exact: true };
  const { score, rates } = structure;
  const removes = score.kind === 'method' ? STRUCTURE_METHODS[score.method].removes : 'components';
  const uniform = components.map(() => share);
  if (removes === 'blocks') {
    const lastFirst = components.map((_, index) => components.length - index);
    return { mask: maskOfBlocks(components, lastFirst, share), exact: true };
  }
  if (removes === 'experts') {
    const scores = components.map(({ experts = 0 }) => new Float32Array(experts));
    return { mask: maskOfExperts(components, scores, rates.kind === 'given' ? rates.rates : uniform), exact: true };
  }
  const exact = rates.kind === 'uniform' || rates.kind === 'given';
  const each = rates.kind === 'given' ? rates.rates : exact ? uniform : rising(share, components.length);
  const sizes = sizesAtRates(components, each);
  const rounded = rule ? roundSizes(components, sizes, rule) : sizes;
  const bits = (kept: number, of: number): string =>
    packBits(Uint8Array.from({ length: of }, (_, index) => Number(index < kept)));
  const mask = rounded.map(({ groups, channels }, index) => ({
    groups: bits(groups, components[index]!.groups),
    channels: bits(channels, components[index]!.channels),
  }));
  return { mask, exact };
}

function rising(mean: number, count: number): number[] {
  const spread = Math.min(SPREAD, mean, 1 - mean);
  return Array.from({ length: count }, (_, index) =>
    count === 1 ? mean : mean - spread + (2 * spread * index) / (count - 1),
  );
}
