import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { removedShareOfAll } from '../../experiment/components.ts';
import type { Sequences } from '../../experiment/measuringSchema.ts';
import type { ModelMask } from '../../experiment/structureSchema.ts';
import type { MaskSearchPlan } from './plan.ts';
import { candidateRng } from '../lifecycle/candidateRng.ts';
import { limitOf, shareOf } from '../lifecycle/budget.ts';
import { bestMask } from './bestMask.ts';
import { withCosts } from './maskBudgets.ts';
import { maskWithin } from './maskWithin.ts';
import type { MaskEffects, MaskSearchOptions } from './effects.ts';
import { initialProbabilities } from './initialProbabilities.ts';
import { maskSpace, packRow, toModelMask, unpackRow } from './maskSpace.ts';
import type { MaskSpace } from './maskSpace.ts';
import { authorsBaseline, drawMask, isLoss, nextBaseline, policyGradientStep, rateAt } from './policyGradient.ts';
import { nullableFitness, objectiveOf } from '../lifecycle/objective.ts';
import { resumeAfter } from './resume.ts';
import type { ProbabilitiesEvent } from './events.ts';

/** What a search for masks comes to, before it is evaluated again. */
export interface MaskOutcome {
  /** Those of the checkpoint that does best on the fitness text, of equal ones the latest; or those of the last, as `result` has it. */
  readonly mask: ModelMask;
  readonly steps: number;
  /** Losses that were not finite. */
  readonly leftOut: number;
}

/**
 * Learns keep-probabilities by policy gradient. Masks and batches come from the seed and the number of the step alone, so that equal
 * plans and equal losses give equal searches, from the first step or from any checkpoint.
 *
 * @throws EspalierError `settings/invalid` where nothing could be learnt, `corpus/too-short` where the calibration text has no room for one sequence, `runs/damaged` where the
 * checkpoint to go on from does not fit the model, `cancelled` once `options.signal` is aborted; and whatever `effects` throw
 */
export async function runMaskSearch(
  plan: MaskSearchPlan,
  effects: MaskEffects,
  options: MaskSearchOptions,
): Promise<MaskOutcome> {
  const { search } = plan;
  const { opening, resume, signal } = options;
  const limit = limitOf(plan.sparsity, opening, false);
  const keep = 1 - (limit && search.components === 'layers' ? 0 : shareOf(plan.sparsity, opening, false));
  const ofShare = maskSpace(opening.components, search, keep);
  const space = limit ? withCosts(ofShare, limit, search) : ofShare;
  const room = opening.calibrationTokens - search.tokens + 1;
  if (search.centre === 'step' && search.masks < 2) throw oneMask();
  const isByTasks = objectiveOf(opening) === 'tasks';
  if (!isByTasks && room < 1) throw tooShort(plan, opening.calibrationTokens);

  let checkpoints = resume;
  const progress = resume ? restore(space, resume.last) : await begin(space, plan, effects);
  const isCheckpoint = checkpointsOf(search.steps, search.checkpoints);
  const maskOf = (probabilities: Float32Array): ModelMask =>
    toModelMask(
      space,
      limit ? maskWithin(space, probabilities, limit, search) : bestMask(space, probabilities, keep, search),
    );

  for (let step = progress.step; ; step++) {
    throwIfCancelled(signal, 'searching');
    if (isCheckpoint(step) && step !== resume?.last.step) {
      const mask = maskOf(progress.probabilities);
      const { fitness, accuracy } = await effects.evaluate(step, mask);
      const checkpoint: ProbabilitiesEvent = {
        kind: 'probabilities',
        step,
        values: packRow(space, progress.probabilities),
        baseline: progress.baseline,
        ...nullableFitness(fitness, objectiveOf(opening), accuracy),
        removed: removedShareOfAll(space.components, mask),
        leftOut: progress.leftOut,
      };
      await effects.emit(checkpoint);
      checkpoints = resumeAfter(checkpoints, checkpoint);
    }
    if (step === search.steps) {
      // The last step is a checkpoint, so there is a best one.
      const { probabilities } = restore(space, search.result === 'last' ? checkpoints!.last : checkpoints!.best);
      return { mask: maskOf(probabilities), steps: search.steps, leftOut: progress.leftOut };
    }

    const masks = Array.from({ length: search.masks }, (_, k) =>
      drawMask(progress.probabilities, stepRng(plan, step, k)),
    );
    const { losses, seconds } = await effects.losses(
      step,
      masks.map((mask) => toModelMask(space, mask)),
      isByTasks ? documentsOf(plan, step, opening.blocks) : samplesOf(plan, step, room),
    );
    // Without an average the masks of a step are compared with their own mean.
    const isAuthors = search.centre === 'authors';
    const after = isAuthors
      ? authorsBaseline(progress.baseline, losses, search.window)
      : nextBaseline(progress.baseline, losses, search.window);
    const compared = search.centre === 'step' ? null : isAuthors ? after : progress.baseline;
    await effects.emit({
      kind: 'step',
      step,
      losses,
      baseline: nextOrSame(compared, losses, search.window),
      seconds,
    });
    progress.probabilities = policyGradientStep(progress.probabilities, {
      masks,
      losses,
      baseline: compared,
      ...(isAuthors && { divided: 'by-all' }),
      rate: rateAt(step, search.steps, search.rate, search.decay),
      budgets: space.budgets,
    });
    progress.baseline = after;
    progress.leftOut += losses.filter((loss) => !isLoss(loss)).length;
  }
}

/** All that a step needs of the steps before it. */
interface MaskProgress {
  readonly step: number;
  probabilities: Float32Array;
  baseline: number | null;
  leftOut: number;
}

async function begin(space: MaskSpace, plan: MaskSearchPlan, effects: MaskEffects): Promise<MaskProgress> {
  const { search } = plan;
  const scores = search.initial === 'metric' ? unpackRow(space, await effects.scores()) : undefined;
  if (search.initial === 'metric' && !scores) {
    throw new EspalierError({
      code: 'engine/invariant',
      operation: 'making keep-probabilities of scores',
      expected: `scores of ${space.size} components`,
      actual: 'others',
      remedy: 'This is a defect of Espalier: please report it with the log.',
    });
  }
  // Steps count from 0: no mask is drawn with the randomness of the initialisation.
  const rng = stepRng(plan, -1, 0);
  return { step: 0, probabilities: initialProbabilities(space, search, scores, rng), baseline: null, leftOut: 0 };
}

function restore(space: MaskSpace, { step, values, baseline, leftOut }: ProbabilitiesEvent): MaskProgress {
  const probabilities = unpackRow(space, values);
  if (probabilities) return { step, probabilities, baseline, leftOut };
  throw new EspalierError({
    code: 'runs/damaged',
    operation: `going on with a run, at step ${step}`,
    expected: `probabilities of ${space.size} components`,
    actual: 'others',
    remedy: 'Start a new run on this checkpoint.',
  });
}

/** The randomness of one mask of a step; number `masks` is that of its batch. */
function stepRng({ search }: MaskSearchPlan, step: number, mask: number): ReturnType<typeof candidateRng> {
  return candidateRng(search.seed, (step + 1) * (search.masks + 1) + mask);
}

/** Sequences of the calibration text for a step: where they begin. */
function samplesOf(plan: MaskSearchPlan, step: number, room: number): Sequences {
  const rng = stepRng(plan, step, plan.search.masks);
  const { batch, tokens } = plan.search;
  return { kind: 'samples', offsets: Array.from({ length: batch }, () => rng.integer(room)), tokens };
}

/** Whole documents for a step, each at most once. @param count of all */
function documentsOf(plan: MaskSearchPlan, step: number, count: number): Sequences {
  const rng = stepRng(plan, step, plan.search.masks);
  const documents = new Set<number>();
  // Floyd's sampling without replacement: as many draws as documents, however many there are.
  for (let last = count - Math.min(plan.search.batch, count); last < count; last++) {
    const drawn = rng.integer(last + 1);
    documents.add(documents.has(drawn) ? last : drawn);
  }
  return { kind: 'documents', documents: [...documents].sort((a, b) => a - b) };
}

/** Whether probabilities are kept before a step: at the first, at the end, and evenly between. */
function checkpointsOf(steps: number, checkpoints: number): (step: number) => boolean {
  const chosen = new Set(Array.from({ length: checkpoints + 1 }, (_, i) => Math.round((i * steps) / checkpoints)));
  return (step) => chosen.has(step);
}

/** What a step's losses are compared with, see {@link policyGradientStep}. */
function nextOrSame(baseline: number | null, losses: readonly (number | null)[], window: number): number | null {
  return baseline ?? nextBaseline(null, losses, window);
}

function oneMask(): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'searching for masks',
    expected: 'at least two masks a step, whose losses are compared with their mean (`centre: step`)',
    actual: '1',
    remedy: 'Draw more masks, or compare with the average of the steps before: `centre: average`.',
  });
}

function tooShort({ calibration, search }: MaskSearchPlan, tokens: number): EspalierError {
  return new EspalierError({
    code: 'corpus/too-short',
    operation: 'drawing batches from the calibration text',
    expected: `at least ${search.tokens} tokens`,
    actual: String(tokens),
    remedy: 'Choose a longer text, or fewer tokens.',
    file: calibration,
  });
}
