import type { ModelCosts } from '../../experiment/costSchema.ts';
import { type BlockSize, isTimed } from '../../experiment/costs.ts';
import { isCompensated, isStructural } from '../../experiment/planned.ts';
import type { EvaluationPlan, StructureEvaluation } from '../../experiment/planSchema.ts';
import { predict, sizesOf, SPEED_BATCH } from '../../experiment/prediction.ts';
import type { Preflight } from '../../experiment/preflightSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { STRUCTURE_METHODS } from '../../experiment/structure.ts';
import type { BlockComponents } from '../../experiment/structureSchema.ts';
import { keptByMask } from '../../experiment/components.ts';
import { costLimit, isAboutSpeed, leastShare } from '../../experiment/costLimit.ts';
import { keptAtRates } from '../../experiment/goneAtRate.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import type { EvaluationHooks } from '../evaluation/hooks.ts';
import { modelComponents } from '../models/components.ts';
import { maskOfBlocks } from '../structure/masks.ts';
import { type CostPlaces, knownCosts, lengthOf } from './modelCosts.ts';

/** Says of each result whose whole components went how small and fast its model is, as far as that is known. */
export async function withPredictions(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  places: CostPlaces,
  evaluate: (hooks: EvaluationHooks) => Promise<readonly EvaluationResult[]>,
): Promise<readonly EvaluationResult[]> {
  if (!plan.evaluations.some(isStructural)) return evaluate(hooks);
  const { costs } = await costsOf(plan, places);
  const told = new Map<EvaluationResult, EvaluationResult>();
  const predicted = (result: EvaluationResult, index: number): EvaluationResult => {
    const evaluation = plan.evaluations[index];
    if (!result.structure || !evaluation || !isStructural(evaluation)) return result;
    return { ...result, predicted: predict(costs, sizesOf(result.structure), isCompensated(evaluation)) };
  };
  const results = await evaluate({
    ...hooks,
    onResult: (result, index) => {
      told.set(result, predicted(result, index));
      hooks.onResult?.(told.get(result)!, index);
    },
  });
  return results.map((result) => told.get(result) ?? result);
}

/** The same of a result that is the only one of its plan. */
export async function withPrediction<Result extends EvaluationResult>(
  plan: EvaluationPlan,
  result: Result,
  places: CostPlaces,
): Promise<Result> {
  const [evaluation] = plan.evaluations;
  if (!result.structure || !evaluation || !isStructural(evaluation)) return result;
  const { costs } = await costsOf(plan, places);
  return { ...result, predicted: predict(costs, sizesOf(result.structure), isCompensated(evaluation)) };
}

/** What the plan's evaluations will make of the model's size and speed: how much of each block goes is estimated where only scores will say it. */
export async function withSpeeds(plan: EvaluationPlan, preflight: Preflight, places: CostPlaces): Promise<Preflight> {
  if (plan.evaluations.length === 0) return preflight;
  const { costs, components } = await costsOf(plan, places);
  const speeds = plan.evaluations.flatMap((evaluation) => {
    const about = { metric: evaluation.metric, sparsity: printSparsity(evaluation.sparsity) };
    if (!isStructural(evaluation)) return [about];
    const kept = expectedSizes(evaluation, components, costs);
    return kept ? [{ ...about, prediction: predict(costs, kept, isCompensated(evaluation)) }] : [];
  });
  return { ...preflight, speeds };
}

/** Times are those that a budget of the plan goes by, else what is known at the plan's length, or at that of a comparison of speeds. */
async function costsOf({ model, settings, times }: EvaluationPlan, places: CostPlaces) {
  const checkpoint = await openCheckpoint(model);
  try {
    const { config } = checkpoint;
    const knownAt = (length: number): Promise<ModelCosts> =>
      knownCosts(checkpoint, { batch: SPEED_BATCH, length, settings }, places);
    const known = await knownAt(settings.length);
    const costs = times ? { ...known, times } : known.times ? known : await knownAt(lengthOf(config));
    return { costs, components: modelComponents(config) };
  } finally {
    checkpoint.close();
  }
}

/** What is left of each block, roughly where only scores will say it. Undefined where a speed is asked for, and nobody knows yet what removes it. */
function expectedSizes(
  evaluation: StructureEvaluation,
  components: readonly BlockComponents[],
  costs: ModelCosts,
): readonly BlockSize[] | undefined {
  const { structure, sparsity } = evaluation;
  if (structure.kind === 'mask') return keptByMask(components, structure.mask);
  const { score, rates } = structure;
  if (rates.kind === 'given') return keptAtRates(components, rates.rates);
  const keptAt = (share: number): readonly BlockSize[] =>
    score.kind === 'method' && STRUCTURE_METHODS[score.method].removes === 'blocks'
      ? keptByMask(components, maskOfBlocks(components, new Float32Array(components.length), share))
      : keptAtRates(
          components,
          components.map(() => share),
        );
  if (sparsity.kind === 'unstructured') return keptAt(sparsity.share);
  if (isAboutSpeed(sparsity.budget) && !isTimed(costs)) return undefined;
  const limit = costLimit(sparsity.budget, costs, { compensated: isCompensated(evaluation), alike: true });
  return keptAt(leastShare(limit, keptAt));
}
