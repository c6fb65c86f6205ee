import type { ModelCosts } from '../../experiment/costSchema.ts';
import type { BlockSize } from '../../experiment/costs.ts';
import { isStructural } from '../../experiment/planned.ts';
import type { EvaluationPlan, PlannedEvaluation, StructureEvaluation } from '../../experiment/planSchema.ts';
import { predict, sizesOf, SPEED_BATCH } from '../../experiment/prediction.ts';
import type { Prediction } from '../../experiment/predictionSchema.ts';
import type { Preflight } from '../../experiment/preflightSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { BlockComponents } from '../../experiment/structureSchema.ts';
import { countBits } from '../../experiment/components.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import type { EvaluationHooks } from '../evaluation/hooks.ts';
import { modelComponents } from '../models/components.ts';
import { goneAtRate, maskOfBlocks } from '../structure/masks.ts';
import { type CostPlaces, knownCosts } from './modelCosts.ts';

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
  if (!result.structure || !evaluation) return result;
  const { costs } = await costsOf(plan, places);
  return { ...result, predicted: predict(costs, sizesOf(result.structure), isCompensated(evaluation)) };
}

/** What the plan's evaluations will make of the model's size and speed: how much of each block goes is estimated where only scores will say it. */
export async function withSpeeds(plan: EvaluationPlan, preflight: Preflight, places: CostPlaces): Promise<Preflight> {
  if (plan.evaluations.length === 0) return preflight;
  const { costs, components } = await costsOf(plan, places);
  const speeds = plan.evaluations.map((evaluation) => ({
    metric: evaluation.metric,
    sparsity: printSparsity(evaluation.sparsity),
    ...(isStructural(evaluation) && { prediction: expected(evaluation, components, costs) }),
  }));
  return { ...preflight, speeds };
}

async function costsOf({ model, settings }: EvaluationPlan, places: CostPlaces) {
  const checkpoint = await openCheckpoint(model);
  try {
    const conditions = { batch: SPEED_BATCH, length: settings.length, settings };
    return {
      costs: await knownCosts(checkpoint, conditions, places),
      components: modelComponents(checkpoint.config),
    };
  } finally {
    checkpoint.close();
  }
}

function expected(
  evaluation: StructureEvaluation,
  components: readonly BlockComponents[],
  costs: ModelCosts,
): Prediction {
  return predict(costs, expectedSizes(evaluation, components), isCompensated(evaluation));
}

function expectedSizes(
  { structure, sparsity }: StructureEvaluation,
  components: readonly BlockComponents[],
): readonly BlockSize[] {
  if (structure.kind === 'mask') {
    return structure.mask.map(({ groups, channels, experts, dropped }, index) =>
      dropped
        ? 'dropped'
        : {
            groups: countBits(groups),
            channels: countBits(channels),
            ...(components[index]!.experts !== undefined && {
              experts: experts === undefined ? components[index]!.experts : countBits(experts),
            }),
          },
    );
  }
  const { share } = sparsity;
  if (structure.score.kind === 'method' && structure.score.method === 'shortgpt') {
    const mask = maskOfBlocks(components, new Float32Array(components.length), share);
    return components.map((block, index) => (mask[index]!.dropped ? 'dropped' : block));
  }
  const { rates } = structure;
  return components.map((block, index) => {
    const rate = rates.kind === 'given' ? rates.rates[index]! : share;
    const { groups, channels, experts } = block;
    if (experts !== undefined)
      return { groups, channels, experts: Math.max(1, experts - Math.floor(rate * experts + 0.5)) };
    const gone = goneAtRate(block, rate);
    return { groups: groups - gone.groups, channels: channels - gone.channels };
  });
}

/** FLAP makes up for what is gone by biases, unless what stays is refitted. */
function isCompensated(evaluation: PlannedEvaluation): boolean {
  if (!isStructural(evaluation) || evaluation.update) return false;
  const { structure } = evaluation;
  return structure.kind === 'scored' && structure.score.kind === 'method' && structure.score.method === 'flap';
}
