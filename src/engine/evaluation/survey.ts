import { EspalierError } from '../../base/errors.ts';
import { isStructural, structureScoreText } from '../../experiment/planned.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { RateAllocation, StructureScore } from '../../experiment/structureSchema.ts';
import type { Step } from '../forward/step.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import type { RowOperand } from '../pruning/inputStatistics.ts';
import type { ModelScores } from '../structure/componentScores.ts';
import { requireFiniteScores } from '../structure/finiteScores.ts';
import { outlierShares } from '../structure/outliers.ts';
import type { ComponentScorer, ScoringInputs } from '../structure/scorer.ts';
import { scorerOf } from '../structure/scorers.ts';
import type { BlockStatistics } from './blockStatistics.ts';
import { calibrationPass, countCalibrationSteps } from './calibrationPass.ts';
import { rowsOfWeights } from './needs.ts';
import type { SweepInputs } from './sweepInputs.ts';

/** What has to be known of the dense model before evaluations that remove components, or more of some blocks, can begin. */
export interface SurveyNeeds {
  /** By `structureScoreText`: evaluations that score alike share it. */
  readonly scorers: ReadonlyMap<string, ComponentScorer>;
  /** Multiples of the mean score above which OWL counts outliers. */
  readonly multiples: readonly number[];
  readonly rows: readonly RowOperand[];
}

export interface Survey {
  /** Of the dense model; undefined where nothing needed them. */
  readonly statistics: readonly BlockStatistics[] | undefined;
  /** What cannot be scored has its error, and the others go on. */
  readonly scores: ReadonlyMap<string, ModelScores | EspalierError>;
  /** Outlier share of each block, by multiple. */
  readonly outliers: ReadonlyMap<number, readonly number[]>;
  /** What an evaluation would have spent on this alone. */
  readonly secondsFor: (evaluation: PlannedEvaluation) => number;
}

/** @param others row operands whose statistics are wanted on the way */
export function surveyNeeds(evaluations: readonly PlannedEvaluation[], others: readonly RowOperand[]): SurveyNeeds {
  const scorers = new Map<string, ComponentScorer>();
  const multiples = new Set<number>();
  for (const evaluation of evaluations) {
    const rates = ratesOf(evaluation);
    if (rates?.kind === 'owl') multiples.add(rates.multiple);
    const score = scoreOf(evaluation);
    if (!score) continue;
    const key = structureScoreText(score);
    if (!scorers.has(key)) scorers.set(key, scorerOf(score, evaluation.metric));
  }
  const rows = new Set<RowOperand>(multiples.size > 0 ? ['X'] : []);
  for (const scorer of scorers.values()) for (const row of scorer.rows) rows.add(row);
  if (rows.size > 0) for (const row of others) rows.add(row);
  return { scorers, multiples: [...multiples], rows: [...rows] };
}

/** Looks at the dense model: one pass of the calibration samples for all, then each scorer by itself. */
export async function survey(inputs: SweepInputs, needs: SurveyNeeds, step: Step): Promise<Survey> {
  const seconds = new Map<string | number, number>();
  const timed = async <Found>(name: string | number, work: () => Promise<Found>): Promise<Found> => {
    const stopwatch = new Stopwatch(inputs.now);
    const found = await stopwatch.time(work);
    seconds.set(name, stopwatch.seconds);
    return found;
  };
  const statistics =
    needs.rows.length > 0 ? await timed(STATISTICS, () => calibrationPass(inputs, needs.rows, step)) : undefined;
  const model = scoringModel(inputs, statistics);
  const scores = new Map<string, ModelScores | EspalierError>();
  for (const [key, scorer] of needs.scorers) scores.set(key, await timed(key, () => scoreOrError(scorer, model, step)));
  const outliers = new Map<number, readonly number[]>();
  for (const multiple of needs.multiples) {
    outliers.set(multiple, await timed(multiple, () => outlierShares(model, multiple, step)));
  }
  const secondsFor = (evaluation: PlannedEvaluation): number => {
    const score = scoreOf(evaluation);
    const rates = ratesOf(evaluation);
    const owl = rates?.kind === 'owl' ? rates.multiple : undefined;
    const key = score && structureScoreText(score);
    const oneShot = inputs.calibrate === 'one-shot' && rowsOfWeights([evaluation]).length > 0;
    const observed = oneShot || owl !== undefined || (key !== undefined && needs.scorers.get(key)!.rows.length > 0);
    const parts = [observed ? STATISTICS : undefined, key, owl];
    return parts.reduce<number>((sum, part) => sum + (part === undefined ? 0 : (seconds.get(part) ?? 0)), 0);
  };
  return { statistics, scores, outliers, secondsFor };
}

/** No text of a score. */
const STATISTICS = '';

/** Steps of {@link survey}. */
export function countSurveySteps(inputs: SweepInputs, { scorers, multiples, rows }: SurveyNeeds): number {
  const model = scoringModel(inputs, undefined);
  const scoring = [...scorers.values()].reduce((sum, scorer) => sum + scorer.countSteps(model), 0);
  return countCalibrationSteps(inputs, rows) + scoring + multiples.length * inputs.weights.layouts.length;
}

/** How much of each block goes, where an evaluation says so. */
function ratesOf(evaluation: PlannedEvaluation): RateAllocation | undefined {
  if (!isStructural(evaluation)) return evaluation.rates;
  return evaluation.structure.kind === 'scored' ? evaluation.structure.rates : undefined;
}

/** What ranks components, where an evaluation ranks them. */
function scoreOf(evaluation: PlannedEvaluation): StructureScore | undefined {
  return isStructural(evaluation) && evaluation.structure.kind === 'scored' ? evaluation.structure.score : undefined;
}

function scoringModel(
  { checkpoint, device, weights, calibration, gradients }: SweepInputs,
  statistics: readonly BlockStatistics[] | undefined,
): ScoringInputs {
  return { checkpoint, device, weights, samples: calibration, statistics, gradients };
}

async function scoreOrError(scorer: ComponentScorer, model: ScoringInputs, step: Step) {
  try {
    return requireFiniteScores(await scorer.score(model, step), scorer.name);
  } catch (error) {
    if (error instanceof EspalierError && error.code === 'metric/invalid-score') return error;
    throw error;
  }
}
