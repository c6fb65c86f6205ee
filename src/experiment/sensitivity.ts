import { EspalierError } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import { meanRate, removesComponents } from './structureNames.ts';
import { isStructural, scoreText } from './planned.ts';
import type { EvaluationPlan, PlannedEvaluation, TextPlan } from './planSchema.ts';
import type { EvaluationResult } from './resultSchema.ts';
import { printSparsity } from './sparsity.ts';
import type { UnstructuredSparsity } from './sparsitySchema.ts';

/** What is pruned alone: each block, or the linear layers of each type in all blocks. */
export const SENSITIVITY_BY = ['blocks', 'layers'] as const;
export type SensitivityBy = (typeof SENSITIVITY_BY)[number];

/** The sparsities of a curve where nobody says others, as shares and as a flag has them. */
export const SENSITIVITY_SHARES = [0.2, 0.5, 0.8] as const;
export const SENSITIVITY_SPARSITIES = SENSITIVITY_SHARES.map((share) => `${share * 100}%`).join(',');

/** What can be pruned alone in a model: see `CheckpointSummary`. */
export interface ModelParts {
  readonly blocks: number;
  readonly layers: readonly string[];
}

/**
 * Evaluations that make curves, one metric after the other, one sparsity after the other, one part after the other. All are calibrated one-shot:
 * whatever comes before a part that is pruned alone is dense, so one pass over the samples is right for all of them. Of blocks that makes no
 * difference to sequential calibration; of layers it does, since their type is pruned in the blocks before, too.
 *
 * Tasks are left out: sensitivity is read off the perplexity.
 *
 * @throws EspalierError `settings/invalid` for evaluations whose parts cannot be pruned alone
 */
export function sensitivityPlan(plan: TextPlan, by: SensitivityBy, model: ModelParts): TextPlan {
  const { tasks: _, ...rest } = plan;
  return {
    ...rest,
    settings: { ...plan.settings, calibrate: 'one-shot' },
    evaluations: plan.evaluations.flatMap((evaluation) =>
      partsOf(by, model).map((__, index) => alone(evaluation, by, index, model)),
    ),
  };
}

/** What a part is called: blocks are counted from 1. */
export function partsOf(by: SensitivityBy, { blocks, layers }: ModelParts): readonly string[] {
  return by === 'layers' ? layers : Array.from({ length: blocks }, (_, index) => String(index + 1));
}

function alone(evaluation: PlannedEvaluation, by: SensitivityBy, part: number, model: ModelParts): PlannedEvaluation {
  if (evaluation.recovery) throw refused(evaluation, 'pruning alone', 'a recovery after it', 'Leave the recovery out.');
  if (isStructural(evaluation)) return withComponentsOf(evaluation, by, part, model);
  if (evaluation.rates && evaluation.rates.kind !== 'uniform')
    throw refused(evaluation, 'the same rate wherever it prunes', evaluation.rates.kind, 'Leave the rates out.');
  const { rates: _, ...rest } = evaluation;
  if (by === 'layers') return { ...rest, layers: [model.layers[part]!] };
  const { sparsity } = evaluation;
  if (sparsity.kind !== 'unstructured')
    throw refused(evaluation, 'percentages, of blocks', printSparsity(sparsity), 'Choose a percentage, or layers.');
  return { ...rest, ...atRates(ratesOfOne(sparsity, part, model.blocks)) };
}

function withComponentsOf(
  evaluation: Extract<PlannedEvaluation, { structure: unknown }>,
  by: SensitivityBy,
  part: number,
  { blocks }: ModelParts,
): PlannedEvaluation {
  const { structure, sparsity } = evaluation;
  const whole = 'heads and channels, which go block by block';
  if (by === 'layers') throw refused(evaluation, 'single weights, of layers', whole, 'Ask for blocks.');
  if (structure.kind === 'mask') throw refused(evaluation, 'scores', 'a mask', 'Choose a method or a metric.');
  const { score, rates } = structure;
  if (score.kind === 'method' && !removesComponents(score.method))
    throw refused(evaluation, 'heads and channels', score.method, 'Choose another method.');
  if (rates.kind !== 'uniform' && rates.kind !== 'global')
    throw refused(evaluation, 'the same rate wherever it prunes', rates.kind, 'Leave the rates out.');
  if (sparsity.kind !== 'unstructured')
    throw refused(evaluation, 'percentages, of blocks', printSparsity(sparsity), 'Choose a percentage.');
  const given = atRates(ratesOfOne(sparsity, part, blocks));
  return { ...evaluation, sparsity: given.sparsity, structure: { ...structure, rates: given.rates } };
}

function ratesOfOne({ share }: UnstructuredSparsity, part: number, blocks: number): readonly number[] {
  return Array.from({ length: blocks }, (_, index) => (index === part ? share : 0));
}

/** As `--rates` has them: their mean is the sparsity. */
function atRates(rates: readonly number[]) {
  return { sparsity: { kind: 'unstructured', share: meanRate(rates) }, rates: { kind: 'given', rates } } as const;
}

function refused(evaluation: PlannedEvaluation, expected: string, actual: string, remedy: string): EspalierError {
  const operation = `taking the sensitivity to ${evaluation.metric}`;
  return new EspalierError({ code: 'settings/invalid', operation, expected, actual, remedy });
}

/** How much a model loses with each part pruned alone, by one metric. */
export interface Sensitivity {
  readonly metric: string;
  /** How it ranks, in full. */
  readonly expression: string;
  readonly by: SensitivityBy;
  readonly parts: readonly string[];
  /** Perplexity. */
  readonly dense: number;
  readonly curves: readonly SensitivityCurve[];
}

export interface SensitivityCurve {
  /** As it was asked of each part: `50%`. */
  readonly sparsity: string;
  /** One for each part. */
  readonly points: readonly SensitivityPoint[];
}

export type SensitivityPoint =
  | {
      readonly perplexity: number;
      /** Over the dense model's. */
      readonly ratio: number;
      /** Of the loss over the dense model's, in nats per token. */
      readonly increase: number;
      readonly fingerprint: string;
    }
  | { readonly failure: ErrorData };

/**
 * Results as curves.
 *
 * @param plan before {@link sensitivityPlan} made evaluations of each part of it
 * @param outcomes of those evaluations, in their order
 */
export function sensitivities(
  plan: EvaluationPlan,
  by: SensitivityBy,
  model: ModelParts,
  outcomes: readonly (EvaluationResult | ErrorData)[],
): readonly Sensitivity[] {
  const parts = partsOf(by, model);
  const dense = outcomes.flatMap((outcome) => ('code' in outcome ? [] : (outcome.densePerplexity ?? [])))[0] ?? NaN;
  const found = new Map<string, Sensitivity & { readonly curves: SensitivityCurve[] }>();
  for (const [i, evaluation] of plan.evaluations.entries()) {
    const { metric } = evaluation;
    const expression = scoreText(evaluation);
    const key = JSON.stringify([metric, expression]);
    const curve = {
      sparsity: printSparsity(evaluation.sparsity),
      points: outcomes.slice(i * parts.length, (i + 1) * parts.length).map((outcome) => pointOf(outcome, dense)),
    };
    const known = found.get(key);
    if (known) known.curves.push(curve);
    else found.set(key, { metric, expression, by, parts, dense, curves: [curve] });
  }
  return [...found.values()];
}

function pointOf(outcome: EvaluationResult | ErrorData, dense: number): SensitivityPoint {
  if ('code' in outcome) return { failure: outcome };
  const perplexity = outcome.perplexity!;
  const ratio = perplexity / dense;
  return { perplexity, ratio, increase: Math.log(ratio), fingerprint: outcome.fingerprint };
}
