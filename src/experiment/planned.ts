import { EspalierError } from '../base/errors.ts';
import type { Expression } from '../metric/expression.ts';
import { operandsOf, statisticsOf } from '../metric/measure.ts';
import { printInfix } from '../metric/print.ts';
import { essentialMask } from './components.ts';
import type { PlannedEvaluation, StructureEvaluation, WeightEvaluation } from './planSchema.ts';
import { recoveryText } from './recovery.ts';
import { STRUCTURE_METHODS } from './structure.ts';
import type { StructureMethodRow } from './structure.ts';
import { removesComponents } from './structureNames.ts';
import type { RateAllocation, StructureScore } from './structureSchema.ts';
import { updateText } from './updates.ts';

export function isStructural(evaluation: PlannedEvaluation): evaluation is StructureEvaluation {
  return 'structure' in evaluation;
}

/** Whether heads and channels go at rates; of a mask that is given, of whole blocks and experts, there are none. */
export function hasRates(evaluation: PlannedEvaluation): boolean {
  if (!isStructural(evaluation) || evaluation.structure.kind === 'mask') return false;
  const { score } = evaluation.structure;
  return score.kind === 'metric' || removesComponents(score.method);
}

/**
 * What ranks weights or components, as a person reads it, and how much of each block goes where that is not the same everywhere; equal
 * exactly where two evaluations remove the same at the same sparsity. A result keeps it as its `expression`.
 */
export function scoreText(evaluation: PlannedEvaluation): string {
  return `${removalText(evaluation)}${afterMaskText(evaluation)}`;
}

function removalText(evaluation: PlannedEvaluation): string {
  if (!isStructural(evaluation)) {
    const { expression, rates, layers, group, update } = evaluation;
    const score = expression ? printInfix(expression) : updateText(update!);
    return `${score}${ratesText(rates)}${layersText(layers)}${group === undefined ? '' : `, group ${group}`}`;
  }
  const { structure } = evaluation;
  if (structure.kind === 'scored') return `${structureScoreText(structure.score)}${ratesText(structure.rates)}`;
  return `mask ${hashText(JSON.stringify(essentialMask(structure.mask)))}`;
}

/** Whether biases make up for what goes, as FLAP has it: a refit makes up for more than these do, see docs/recovery.md. */
export function isCompensated({ structure, update }: Pick<StructureEvaluation, 'structure' | 'update'>): boolean {
  if (structure.kind !== 'scored' || update) return false;
  const { score } = structure;
  if (score.kind !== 'method') return false;
  const row: StructureMethodRow = STRUCTURE_METHODS[score.method];
  return row.keepsMeans === true;
}

/** What SparseGPT is called where it chooses its own mask. */
export const OWN_MASK = 'sparsegpt';

/** ` then admm (iterations: 50), recovered by lora (steps: 500)`: what becomes of the weights that stay; empty where nothing does. */
function afterMaskText(evaluation: PlannedEvaluation): string {
  const { update, recovery } = evaluation;
  // SparseGPT's own mask is its update.
  const follows = isStructural(evaluation) || evaluation.expression !== undefined;
  return `${update && follows ? ` then ${updateText(update)}` : ''}${recovery ? `, recovered by ${recoveryText(recovery)}` : ''}`;
}

/** `wanda-sp`, or `components by W * sqrt(X)` for a metric. */
export function structureScoreText(score: StructureScore): string {
  return score.kind === 'method' ? score.method : `components by ${printInfix(score.expression)}`;
}

function ratesText(rates: RateAllocation | undefined): string {
  switch (rates?.kind) {
    case undefined:
    case 'uniform':
      return '';
    case 'owl':
      return `, owl (${rates.multiple}, ${rates.spread})`;
    case 'global':
      return ', global';
    case 'given':
      return `, rates ${rates.rates.join(' ')}`;
  }
}

function layersText(layers: readonly string[] | undefined): string {
  return layers ? `, of ${layers.join(' ')} alone` : '';
}

/** Whether calibration samples are needed: for statistics of inputs, or for gradients. */
export function needsCalibration(evaluation: PlannedEvaluation): boolean {
  if (evaluation.update) return true;
  if (!isStructural(evaluation)) {
    const { expression, rates } = evaluation;
    return rates?.kind === 'owl' || (expression !== undefined && statisticsOf(expression).length > 0);
  }
  const { structure } = evaluation;
  if (structure.kind === 'mask') return false;
  if (structure.rates.kind === 'owl') return true;
  return structure.score.kind === 'metric'
    ? statisticsOf(structure.score.expression).length > 0
    : structure.score.method !== 'magnitude';
}

/** What samples are needed for. */
export interface SampleNeeds {
  readonly calibration: boolean;
  /** The operand G. */
  readonly gradients: boolean;
  /** Training after pruning. */
  readonly training?: boolean;
}

/** Whether the operand G has to be there; Taylor's scores are of the calibration samples. */
export function needsGradient(evaluation: PlannedEvaluation): boolean {
  const expression = expressionOf(evaluation);
  return expression !== undefined && operandsOf(expression).includes('G');
}

/** What samples evaluations need. */
export function sampleNeeds(evaluations: readonly PlannedEvaluation[]): SampleNeeds {
  return {
    calibration: evaluations.some(needsCalibration),
    gradients: evaluations.some(needsGradient),
    training: evaluations.some(({ recovery }) => recovery !== undefined),
  };
}

function expressionOf(evaluation: PlannedEvaluation): Expression | undefined {
  if (!isStructural(evaluation)) return evaluation.expression;
  const { structure } = evaluation;
  return structure.kind === 'scored' && structure.score.kind === 'metric' ? structure.score.expression : undefined;
}

/** Single weights that a metric ranks. */
export type RankedEvaluation = WeightEvaluation & { readonly expression: Expression };

/** @throws EspalierError for one that removes whole components, or whose update chooses what goes: both are more than a formula */
export function asRanked(evaluation: PlannedEvaluation, operation: string): RankedEvaluation {
  const isWhole = isStructural(evaluation);
  if (!isWhole && evaluation.expression !== undefined) return { ...evaluation, expression: evaluation.expression };
  throw new EspalierError({
    code: 'settings/invalid',
    operation,
    expected: 'a metric that ranks single weights',
    actual: isWhole
      ? `${evaluation.metric}, which removes whole heads and channels`
      : `${evaluation.metric}, which chooses while it updates`,
    remedy: 'Choose a metric.',
  });
}

/** FNV-1a, twice with different offsets: 64 bits that tell masks apart for a reader. */
function hashText(text: string): string {
  return [0x811c9dc5, 0x9747b28c]
    .map((offset) => {
      let hash = offset;
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
      return (hash >>> 0).toString(16).padStart(8, '0');
    })
    .join('');
}
