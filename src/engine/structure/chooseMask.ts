import { EspalierError } from '../../base/errors.ts';
import type { BlockComponents, BlockMask, ModelMask, StructureScore } from '../../experiment/structureSchema.ts';
import { blockWeights, countBits, removedShare } from '../../experiment/components.ts';
import type { StructureEvaluation } from '../../experiment/planSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import { REMOVED, STRUCTURE_METHODS } from '../../experiment/structure.ts';
import type { ModelScores } from './componentScores.ts';
import { maskAtThreshold, maskOfBlocks, maskOfExperts, maskOfSizes, sizesAtRates, sizesOf } from './masks.ts';
import { givenRates, owlRates } from './rates.ts';
import { type BlockSizes, roundSizes, type SizeRule } from './roundSizes.ts';

/** What an evaluation's mask is made from; what it does not need may be missing. */
export interface MaskMaterial {
  /** Of every block of the dense model. */
  readonly components: readonly BlockComponents[];
  readonly scores?: ModelScores | undefined;
  /** See `outlierShares`; for OWL's rates. */
  readonly outliers?: readonly number[] | undefined;
  /** Sizes are rounded to what it accepts, of heads and channels alone. */
  readonly rule?: SizeRule | undefined;
}

export interface ChosenMask {
  readonly mask: ModelMask;
  /** What was asked of each block, where it was asked of each. */
  readonly rates?: readonly number[];
}

/**
 * Which components an evaluation removes; it was checked.
 *
 * @throws EspalierError `settings/invalid` where the sparsity comes to nothing
 */
export function chooseMask({ structure, sparsity, metric }: StructureEvaluation, material: MaskMaterial): ChosenMask {
  const { components } = material;
  if (structure.kind === 'mask') return { mask: structure.mask };
  const scores = material.scores!;
  const removing = (mask: ModelMask): ModelMask => requireRemoval(mask, components, sparsity, metric);
  if (scores.kind === 'blocks') return { mask: removing(maskOfBlocks(components, scores.influence, sparsity.share)) };
  if (scores.kind === 'experts') {
    const { rates } = structure;
    const each = rates.kind === 'given' ? rates.rates : components.map(() => sparsity.share);
    return { mask: removing(maskOfExperts(components, scores.blocks, each)), rates: each };
  }
  const { blocks } = scores;
  const cut = (sizes: readonly BlockSizes[]): ModelMask =>
    maskOfSizes(components, blocks, material.rule ? roundSizes(components, sizes, material.rule) : sizes);
  switch (structure.rates.kind) {
    case 'global':
      return { mask: removing(cut(sizesOf(maskAtThreshold(components, scores.blocks, sparsity.share)))) };
    case 'given': {
      const { rates } = structure.rates;
      return { mask: cut(sizesAtRates(components, rates)), rates };
    }
    case 'uniform':
    case 'owl': {
      const rates =
        structure.rates.kind === 'owl'
          ? owlRates(material.outliers!, components.map(blockWeights), sparsity.share, structure.rates.spread)
          : components.map(() => sparsity.share);
      return { mask: removing(cut(sizesAtRates(components, rates))), rates };
    }
  }
}

/**
 * What can be said against an evaluation before anything is scored.
 *
 * @throws EspalierError `settings/invalid` where rates, sparsity or mask do not fit the model
 */
export function checkStructure(
  { structure, sparsity }: StructureEvaluation,
  components: readonly BlockComponents[],
): void {
  requirePercentage(sparsity);
  if (structure.kind === 'mask') {
    requireFitting(structure.mask, components);
    requireMixtureKept(structure.mask, components);
    return;
  }
  requireSuiting(structure.score, structure.rates.kind);
  requireRemovable(structure.score, components);
  if (structure.rates.kind === 'given') givenRates(structure.rates.rates, components.length);
}

/** Plans come from outside, too. */
function requirePercentage(sparsity: Sparsity): void {
  if (sparsity.kind === 'unstructured') return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'choosing components to remove',
    expected: 'a percentage: heads and channels have no order that N:M could refer to',
    actual: printSparsity(sparsity),
    remedy: 'Choose a percentage, or prune single weights.',
  });
}

/** Whole blocks have no rates of their own: each goes or stays. Experts are counted by block. */
function requireSuiting(score: StructureScore, allocation: string): void {
  if (score.kind !== 'method') return;
  const { removes } = STRUCTURE_METHODS[score.method];
  if (removes === 'components' || allocation === 'uniform' || (removes === 'experts' && allocation === 'given')) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `choosing what ${score.method} removes`,
    expected: `the allocation uniform${removes === 'experts' ? ', or rates of your own' : ''}: it removes ${REMOVED[removes]}`,
    actual: allocation,
    remedy: 'Leave the allocation out, or choose a method that removes heads and channels.',
  });
}

function requireMixtureKept(mask: ModelMask, components: readonly BlockComponents[]): void {
  const loses = (block: BlockMask, { groups, channels }: BlockComponents): boolean =>
    !block.dropped && (countBits(block.groups) < groups || countBits(block.channels) < channels);
  if (!isMixture(components) || !mask.some((block, index) => loses(block, components[index]!))) return;
  throw notOfMixtures('choosing what a mask removes', 'a mask that removes heads or channels');
}

/** @throws EspalierError `settings/invalid` for a mixture of experts, of which heads and channels are not searched */
export function requireHeadsAndChannels(components: readonly BlockComponents[], operation: string): void {
  if (isMixture(components)) throw notOfMixtures(operation, 'a search for heads, channels and layers to remove');
}

function isMixture(components: readonly BlockComponents[]): boolean {
  return components.some(({ experts }) => experts !== undefined);
}

function notOfMixtures(operation: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation,
    expected: 'experts or whole blocks, of a mixture of experts',
    actual,
    remedy: 'Choose reap, wanda-experts, routing-frequency or shortgpt; or prune single weights.',
  });
}

/** Of mixtures experts and blocks are removed: experts hold nearly all weights, and their channels are none of the block's. */
function requireRemovable(score: StructureScore, components: readonly BlockComponents[]): void {
  const removes = score.kind === 'method' ? STRUCTURE_METHODS[score.method].removes : 'components';
  const name = score.kind === 'method' ? score.method : 'a metric';
  if (removes === 'blocks' || isMixture(components) === (removes === 'experts')) return;
  if (removes === 'components')
    throw notOfMixtures(`choosing what ${name} removes`, `${name}, which removes ${REMOVED[removes]}`);
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `choosing what ${name} removes`,
    expected: 'a mixture of experts',
    actual: 'a model without experts',
    remedy: 'Choose wanda-sp, magnitude, taylor, flap, shortgpt, or a metric.',
  });
}

/** A result that says 5 % and is the dense model would mislead. */
function requireRemoval(
  mask: ModelMask,
  components: readonly BlockComponents[],
  sparsity: StructureEvaluation['sparsity'],
  metric: string,
): ModelMask {
  if (sparsity.share === 0 || mask.some((block, index) => removedShare(components[index]!, block) > 0)) return mask;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `choosing what ${metric} removes at ${printSparsity(sparsity)}`,
    expected: 'a sparsity that comes to one component at least',
    actual: 'less than half of one',
    remedy: 'Choose a higher sparsity, or a method that removes smaller components.',
  });
}

/** @throws EspalierError where a mask is of another model */
function requireFitting(mask: ModelMask, components: readonly BlockComponents[]): void {
  const wrong = mask.findIndex(
    (block, index) =>
      components[index] !== undefined &&
      (!fits(block.groups, components[index].groups) ||
        !fits(block.channels, components[index].channels) ||
        !fitsExperts(block.experts, components[index].experts)),
  );
  if (mask.length === components.length && wrong < 0) {
    if (mask.some(({ dropped }) => !dropped)) return;
    throw misfit('a mask that keeps a block', 'one that drops them all');
  }
  if (mask.length !== components.length) throw misfit(`a mask of ${components.length} blocks`, `one of ${mask.length}`);
  const { groups, channels } = components[wrong]!;
  throw misfit(
    `a mask of ${groups} groups and ${channels} channels in block ${wrong + 1}`,
    `${mask[wrong]!.groups.length} and ${mask[wrong]!.channels.length} digits of four bits each`,
  );
}

/** As many digits as the components need, and no bit beyond them. */
function fits(bits: string, count: number): boolean {
  const spare = 4 * bits.length - count;
  return spare >= 0 && spare < 4 && (spare === 0 || parseInt(bits.at(-1)!, 16) % 2 ** spare === 0);
}

/** One expert stays at least: nothing stands in for all of them. */
function fitsExperts(bits: string | undefined, count: number | undefined): boolean {
  return bits === undefined || (count !== undefined && fits(bits, count) && countBits(bits) > 0);
}

function misfit(expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'reading the mask',
    expected,
    actual,
    remedy: 'Use a mask that was found on this model.',
  });
}
