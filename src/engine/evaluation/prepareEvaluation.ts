import { EspalierError } from '../../base/errors.ts';
import { blockWeights, removedShareOfAll } from '../../experiment/components.ts';
import type { ModelCosts } from '../../experiment/costSchema.ts';
import type { BlockComponents, StructureReport } from '../../experiment/structureSchema.ts';
import type { EvaluationPlan, PlannedEvaluation, WeightEvaluation } from '../../experiment/planSchema.ts';
import { isStructural, structureScoreText } from '../../experiment/planned.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { layerTypes } from '../families/families.ts';
import { modelComponents } from '../models/components.ts';
import { type PrunedLayer, Pruner } from '../pruning/pruner.ts';
import { modelSizes } from '../structure/modelSizes.ts';
import { checkStructure, chooseMask } from '../structure/chooseMask.ts';
import { givenRates, owlRates } from '../structure/rates.ts';
import { type RefittedLayer, Refitter } from '../structure/refitter.ts';
import { sizeRule } from '../structure/sizeRules.ts';
import { structureReport } from '../structure/report.ts';
import type { EvaluationHooks } from './hooks.ts';
import type { Removal } from './removal.ts';
import type { Survey } from './survey.ts';
import type { SweepInputs } from './sweepInputs.ts';

/** An evaluation as a sweep carries it, with what a result says of it beyond its numbers. */
export type PreparedEvaluation =
  | { readonly kind: 'weights'; readonly variant: Pruner; readonly index: number }
  | {
      readonly kind: 'structure';
      readonly variant: Removal;
      readonly index: number;
      readonly report: StructureReport;
      /** Experts that could not be scored. */
      readonly unseen: readonly string[];
    };

/** What is wrong with an evaluation before anything is computed, for this model; undefined where nothing is. */
export function refusal(evaluation: PlannedEvaluation, { checkpoint }: SweepInputs): EspalierError | undefined {
  const components = modelComponents(checkpoint.config);
  try {
    checkAfterMask(evaluation);
    if (isStructural(evaluation)) checkStructure(evaluation, components);
    else {
      checkRates(evaluation, components);
      checkLayers(evaluation, checkpoint);
    }
    return undefined;
  } catch (error) {
    return asRefusal(error);
  }
}

/** Chooses what an evaluation removes, as far as that is known before the sweep. */
export function prepareEvaluation(
  plan: EvaluationPlan,
  index: number,
  { checkpoint, device, updated }: SweepInputs,
  survey: Survey,
  hooks: EvaluationHooks,
): PreparedEvaluation | EspalierError {
  const evaluation = plan.evaluations[index]!;
  const components = modelComponents(checkpoint.config);
  if (!isStructural(evaluation)) {
    const onPruned =
      hooks.onPruned &&
      ((layer: PrunedLayer): void => {
        hooks.onPruned!(layer, index);
      });
    const { group = plan.settings.group } = evaluation;
    const rates = weightRates(evaluation, components, survey);
    const variant = new Pruner(device, { ...evaluation, group, rates, updated, onPruned });
    return { kind: 'weights', variant, index };
  }
  const { structure, metric, update } = evaluation;
  const scored = structure.kind === 'scored';
  const scores = scored ? survey.scores.get(structureScoreText(structure.score))! : undefined;
  if (scores instanceof EspalierError) return scores;
  try {
    const outliers =
      scored && structure.rates.kind === 'owl' ? survey.outliers.get(structure.rates.multiple) : undefined;
    const costs = evaluation.sparsity.kind === 'budget' ? costsOf(checkpoint, plan) : undefined;
    const chosen = chooseMask(evaluation, {
      ...{ components, scores, outliers, costs },
      rule: sizeRule(plan.settings.roundFor, checkpoint.config),
    });
    // What is refitted makes up for more than means do: see docs/recovery.md.
    const fills = scores?.kind === 'components' && !update ? scores.fills : undefined;
    const { mask } = chosen;
    const report = structureReport(structure, checkpoint.config, components, chosen, fills !== undefined);
    hooks.onRemoved?.({ mask, ...(fills && { fills }) }, index);
    const onRefitted =
      hooks.onRefitted &&
      ((layer: RefittedLayer): void => {
        hooks.onRefitted!(layer, index);
      });
    const refitter = update && new Refitter(device, update, onRefitted);
    const variant = { metric, mask, fills, refitter, actualSparsity: removedShareOfAll(components, mask) };
    const unseen = scores?.kind === 'experts' ? scores.unseen : [];
    return { kind: 'structure', variant, index, report, unseen };
  } catch (error) {
    return asRefusal(error);
  }
}

/** What models of these blocks cost: sizes, and times where the plan has them. */
export function costsOf(checkpoint: Checkpoint, { times }: Pick<EvaluationPlan, 'times'>): ModelCosts {
  return { ...modelSizes(checkpoint), ...(times && { times }) };
}

/** What a result says of the blocks: what went, where components did, how much of each where they were not pruned alike, and what became of what stays. */
export function aboutBlocks(
  prepared: PreparedEvaluation,
  evaluation: PlannedEvaluation,
  { checkpoint }: SweepInputs,
): Pick<EvaluationResult, 'structure' | 'rates' | 'unseenExperts' | 'update'> {
  const unseen = prepared.kind === 'weights' ? [...prepared.variant.unseen] : prepared.unseen;
  return {
    ...lossesOf(prepared, evaluation, checkpoint),
    ...(unseen.length > 0 && { unseenExperts: unseen }),
    ...updateOf(prepared),
  };
}

function updateOf({ kind, variant }: PreparedEvaluation): Pick<EvaluationResult, 'update'> {
  const made = kind === 'weights' ? variant : variant.refitter;
  if (!made?.update) return {};
  const { update, damped } = made;
  return {
    update: {
      update,
      ...(damped.layers > 0 && { damped: { ...damped } }),
      ...('layers' in made && { layers: made.layers }),
    },
  };
}

function lossesOf(
  prepared: PreparedEvaluation,
  evaluation: PlannedEvaluation,
  checkpoint: Checkpoint,
): Pick<EvaluationResult, 'structure' | 'rates'> {
  if (prepared.kind === 'structure') {
    const { report } = prepared;
    return {
      structure: report,
      ...(report.allocation !== 'uniform' && { rates: report.blocks.map(({ removed }) => removed) }),
    };
  }
  if (isStructural(evaluation) || !evaluation.rates || evaluation.rates.kind === 'uniform') return {};
  const lost = (index: number): number => {
    const block = prepared.variant.blocks[index];
    return block ? block.zeros / block.weights : 0;
  };
  return { rates: Array.from({ length: checkpoint.config.depth }, (_, index) => lost(index)) };
}

function weightRates(
  { rates, sparsity }: WeightEvaluation,
  components: readonly BlockComponents[],
  survey: Survey,
): readonly number[] | undefined {
  if (rates?.kind === 'given') return givenRates(rates.rates, components.length);
  // Other allocations, and semi-structured sparsity, were refused.
  return rates?.kind === 'owl' && sparsity.kind === 'unstructured'
    ? owlRates(survey.outliers.get(rates.multiple)!, components.map(blockWeights), sparsity.share, rates.spread)
    : undefined;
}

/** @throws EspalierError `settings/invalid` */
function checkRates({ rates, sparsity, metric }: WeightEvaluation, components: readonly BlockComponents[]): void {
  if (!rates || rates.kind === 'uniform') return;
  if (rates.kind === 'global') {
    throw new EspalierError({
      code: 'settings/invalid',
      operation: `choosing the rates for ${metric}`,
      expected: 'uniform, owl or given rates, for a metric that ranks single weights',
      actual: 'global',
      remedy: 'Choose owl, or rates of your own.',
    });
  }
  if (sparsity.kind !== 'unstructured') {
    throw new EspalierError({
      code: 'settings/invalid',
      operation: `choosing the rates for ${metric}`,
      expected: 'a percentage, where blocks lose different shares',
      actual: printSparsity(sparsity),
      remedy: 'Choose a percentage, or leave the rates out.',
    });
  }
  if (rates.kind === 'given') givenRates(rates.rates, components.length);
}

/** @throws EspalierError `settings/invalid` */
function checkLayers({ layers, rates, metric }: WeightEvaluation, { config }: Checkpoint): void {
  if (!layers) return;
  const known = layerTypes(config);
  const unknown = layers.find((layer) => !known.includes(layer));
  const operation = `choosing the layers for ${metric}`;
  if (unknown !== undefined) {
    throw new EspalierError({
      code: 'settings/invalid',
      operation,
      expected: `layers of ${config.architecture}`,
      actual: unknown,
      remedy: `It has ${known.join(', ')}.`,
    });
  }
  if (rates?.kind !== 'owl') return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation,
    expected: 'all layers, where outliers decide how much of each block goes',
    actual: layers.join(', '),
    remedy: 'Leave the layers out, or the allocation.',
  });
}

/** @throws EspalierError `settings/invalid` */
function checkAfterMask(evaluation: PlannedEvaluation): void {
  const { recovery, metric } = evaluation;
  if (!recovery) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `evaluating ${metric}`,
    expected: 'a mask, with or without an update',
    actual: 'a recovery after it',
    remedy: 'Leave it out.',
  });
}

function asRefusal(error: unknown): EspalierError {
  if (error instanceof EspalierError && error.code === 'settings/invalid') return error;
  throw error;
}
