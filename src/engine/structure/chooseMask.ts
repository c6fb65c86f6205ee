import { EspalierError } from '../../base/errors.ts';
import type {
  BlockComponents,
  BlockMask,
  ModelMask,
  Structure,
  StructureReport,
  StructureScore,
} from '../../experiment/structureSchema.ts';
import { blockWeights, countBits, keptByMask, removedShare } from '../../experiment/components.ts';
import { costLimit, costOf, figureOf, leastShare } from '../../experiment/costLimit.ts';
import type { BlockSize } from '../../experiment/costs.ts';
import type { ModelCosts } from '../../experiment/costSchema.ts';
import { isCompensated } from '../../experiment/planned.ts';
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
  /** What the model costs; for budgets. */
  readonly costs?: ModelCosts | undefined;
}

export interface ChosenMask {
  readonly mask: ModelMask;
  /** What was asked of each block, where it was asked of each. */
  readonly rates?: readonly number[];
  /** What a budget came to. */
  readonly budget?: StructureReport['budget'];
}

/**
 * Which components an evaluation removes; it was checked. Under a budget they are those of the least share with which the model is within it.
 *
 * @throws EspalierError `settings/invalid` where the sparsity comes to nothing, or a budget cannot be met
 */
export function chooseMask(evaluation: StructureEvaluation, material: MaskMaterial): ChosenMask {
  const { structure, sparsity, metric } = evaluation;
  const { components, costs } = material;
  const limit =
    sparsity.kind === 'budget'
      ? costLimit(sparsity.budget, costs!, { compensated: isCompensated(evaluation), alike: true })
      : undefined;
  const maskAt = masksByShare(structure, material);
  const isGiven = structure.kind === 'mask' || structure.rates.kind === 'given';
  const keptAt = (share: number): readonly BlockSize[] => keptByMask(components, maskAt(share).mask);
  const share = sparsity.kind === 'unstructured' ? sparsity.share : isGiven ? undefined : leastShare(limit!, keptAt);
  const chosen = maskAt(share ?? 0);
  if (!isGiven && share !== 0) requireRemoval(chosen.mask, components, sparsity, metric);
  if (!limit) return chosen;
  const figure = figureOf(limit, costOf(limit, keptByMask(components, chosen.mask)));
  return { ...chosen, budget: { asked: limit.budget, ...(share !== undefined && { share }), figure } };
}

/** What goes by the overall share; masks and rates that are given do not depend on it. */
function masksByShare(structure: Structure, material: MaskMaterial): (share: number) => ChosenMask {
  const { components } = material;
  if (structure.kind === 'mask') return () => ({ mask: structure.mask });
  const { rates } = structure;
  const scores = material.scores!;
  if (scores.kind === 'blocks') return (share) => ({ mask: maskOfBlocks(components, scores.influence, share) });
  if (scores.kind === 'experts') {
    const { blocks } = scores;
    const each = (share: number): readonly number[] =>
      rates.kind === 'given' ? rates.rates : components.map(() => share);
    return (share) => ({ mask: maskOfExperts(components, blocks, each(share)), rates: each(share) });
  }
  const { blocks } = scores;
  const cut = (sizes: readonly BlockSizes[]): ModelMask =>
    maskOfSizes(components, blocks, material.rule ? roundSizes(components, sizes, material.rule) : sizes);
  const atRates = (each: readonly number[]): ChosenMask => ({ mask: cut(sizesAtRates(components, each)), rates: each });
  switch (rates.kind) {
    case 'given':
      return () => atRates(rates.rates);
    case 'uniform':
      return (share) => atRates(components.map(() => share));
    case 'owl':
      return (share) => atRates(owlRates(material.outliers!, components.map(blockWeights), share, rates.spread));
    case 'global':
      return (share) => ({ mask: cut(sizesOf(maskAtThreshold(components, blocks, share))) });
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
  if (sparsity.kind !== 'n:m') return;
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
): void {
  if (mask.some((block, index) => removedShare(components[index]!, block) > 0)) return;
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
