import { packBits } from '../../../experiment/components.ts';
import { costLimit, leastShare } from '../../../experiment/costLimit.ts';
import type { ModelCosts } from '../../../experiment/costSchema.ts';
import { keptAtRates } from '../../../experiment/goneAtRate.ts';
import { isCompensated } from '../../../experiment/planned.ts';
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

/** @param costs sizes, by which budgets for parameters and bytes come to a share */
export function expectedMask(
  evaluation: StructureEvaluation,
  components: readonly BlockComponents[],
  rule: SizeRule | undefined,
  costs: () => ModelCosts,
): ExpectedMask {
  const { structure } = evaluation;
  if (structure.kind === 'mask') return { mask: structure.mask, exact: true };
  const { score, rates } = structure;
  const { share, exact: known } = expectedShare(evaluation, components, costs);
  const removes = score.kind === 'method' ? STRUCTURE_METHODS[score.method].removes : 'components';
  const uniform = components.map(() => share);
  if (removes === 'blocks') {
    const lastFirst = components.map((_, index) => components.length - index);
    return { mask: maskOfBlocks(components, lastFirst, share), exact: known };
  }
  if (removes === 'experts') {
    const scores = components.map(({ experts = 0 }) => new Float32Array(experts));
    return { mask: maskOfExperts(components, scores, rates.kind === 'given' ? rates.rates : uniform), exact: known };
  }
  const isAlike = rates.kind === 'uniform' || rates.kind === 'given';
  const each = rates.kind === 'given' ? rates.rates : isAlike ? uniform : rising(share, components.length);
  const sizes = sizesAtRates(components, each);
  const rounded = rule ? roundSizes(components, sizes, rule) : sizes;
  const bits = (kept: number, of: number): string =>
    packBits(Uint8Array.from({ length: of }, (_, index) => Number(index < kept)));
  const mask = rounded.map(({ groups, channels }, index) => ({
    groups: bits(groups, components[index]!.groups),
    channels: bits(channels, components[index]!.channels),
  }));
  return { mask, exact: isAlike && known };
}

/** Of a budget for speed, whose times nobody may have measured, as if time went with the weights. */
function expectedShare(
  evaluation: StructureEvaluation,
  components: readonly BlockComponents[],
  costs: () => ModelCosts,
): { readonly share: number; readonly exact: boolean } {
  const { sparsity, structure } = evaluation;
  if (sparsity.kind === 'unstructured') return { share: sparsity.share, exact: true };
  const isGiven = structure.kind === 'scored' && structure.rates.kind === 'given';
  if (isGiven) return { share: 0, exact: true };
  const { budget } = sparsity;
  if (budget.quantity === 'prefill' || budget.quantity === 'decode') {
    return { share: 1 - 1 / budget.times, exact: false };
  }
  const limit = costLimit(budget, costs(), { compensated: isCompensated(evaluation) });
  const keptAt = (share: number) =>
    keptAtRates(
      components,
      components.map(() => share),
    );
  return { share: leastShare(limit, keptAt), exact: true };
}

function rising(mean: number, count: number): number[] {
  const spread = Math.min(SPREAD, mean, 1 - mean);
  return Array.from({ length: count }, (_, index) =>
    count === 1 ? mean : mean - spread + (2 * spread * index) / (count - 1),
  );
}
