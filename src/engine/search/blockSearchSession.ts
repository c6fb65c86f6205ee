import { canonicalJson } from '../../base/canonicalJson.ts';
import type { RateAllocation, StructureScore } from '../../experiment/structureSchema.ts';
import { EspalierError } from '../../base/errors.ts';
import { blockWeights, removedShareOfAll } from '../../experiment/components.ts';
import type { Candidate, Measuring, Sequences, Timed } from '../../experiment/measuringSchema.ts';
import { packValues } from '../../experiment/packedValues.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import {
  isCompensated,
  isStructural,
  needsCalibration,
  needsGradient,
  structureScoreText,
} from '../../experiment/planned.ts';
import { shareOf } from '../../search/lifecycle/budget.ts';
import type { MaskSearchPlan } from '../../search/masks/plan.ts';
import { evaluationOf } from '../../search/rates/target.ts';
import type { RateSearchPlan } from '../../search/rates/plan.ts';
import type { Provenance } from '../../experiment/resultSchema.ts';
import { isWeightUpdate, type StructureUpdate } from '../../experiment/updates.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { OWL, REMOVED, UNIFORM } from '../../experiment/structure.ts';
import { denseGramBytes, denseGrams, DenseRefits } from '../evaluation/denseRefits.ts';
import { needGradients } from '../evaluation/gradientsOf.ts';
import { rowsOfWeights } from '../evaluation/needs.ts';
import { type EngineState, prepareSweep } from '../evaluation/prepareSweep.ts';
import { stagedStepper } from '../evaluation/stepper.ts';
import { countSurveySteps, type Survey, survey, surveyNeeds } from '../evaluation/survey.ts';
import { disposePrograms, type SweepInputs, type Variant } from '../evaluation/sweepInputs.ts';
import { costsOf, prepareEvaluation, refusal } from '../evaluation/prepareEvaluation.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import type { StepHooks } from '../forward/step.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import { modelComponents } from '../models/components.ts';
import { blockInfluence, countInfluenceSteps } from '../structure/blockInfluence.ts';
import { KeptWeights } from '../pruning/keptWeights.ts';
import { requireFiniteScores } from '../structure/finiteScores.ts';
import { requireHeadsAndChannels } from '../structure/chooseMask.ts';
import { owlRates } from '../structure/rates.ts';
import { dropsLayers } from '../../search/rates/evopress/plan.ts';
import { keptRoom } from './keptRoom.ts';
import { countSolverSteps, KeptSolvers, solverBytes } from './keptSolvers.ts';
import { countDenseSteps, densePass } from './densePass.ts';
import { measureVariants } from './measureVariants.ts';
import { blockRange, openingOf, searchInputs, sessionError } from './opening.ts';
import type { SearchSession } from './searchSession.ts';
import { TaskFitness } from './taskFitness.ts';
import type { ComponentsOpening, MeasureOutcome } from '../../search/lifecycle/events.ts';
import type { PackedValues } from '../../search/masks/events.ts';

/**
 * The numeric side of a search for rates or for masks. The dense losses, the dense model's statistics and what the
 * components score are found once; weights stay where they are, and programs are compiled once, so that a question costs its masks (of
 * a metric of single weights its pruning) and its forward passes. Scores are those of the dense model (one-shot).
 */
export class BlockSearchSession implements SearchSession {
  readonly opening: ComponentsOpening;
  private readonly plan: RateSearchPlan | MaskSearchPlan;
  private readonly inputs: SweepInputs;
  private readonly provenance: Provenance;
  private readonly state: EngineState;
  private readonly solvers: KeptSolvers | undefined;
  /** Where tasks are the objective. */
  private readonly tasks: TaskFitness | undefined;
  /** What a search for rates needs to know of the dense model. */
  private readonly survey: Survey;
  /** Token ids of the calibration text. */
  private readonly calibration: Int32Array;
  /** Programs for sequences that are not as long as evaluation blocks. */
  private readonly programs = new Map<number, ModelPrograms>();

  private constructor(
    plan: RateSearchPlan | MaskSearchPlan,
    { inputs, provenance, survey, calibration, opening, solvers, tasks }: Opened,
    state: EngineState,
  ) {
    this.plan = plan;
    this.inputs = inputs;
    this.provenance = provenance;
    this.survey = survey;
    this.calibration = calibration;
    this.opening = opening;
    this.state = state;
    this.solvers = solvers;
    this.tasks = tasks;
  }

  /** @throws EspalierError as an evaluation does, and `settings/invalid` for rates of a method that removes whole blocks */
  static async open(
    plan: RateSearchPlan | MaskSearchPlan,
    hooks: StepHooks,
    state: EngineState,
  ): Promise<BlockSearchSession> {
    const asked = evaluationsOf(plan);
    // What follows a mask reads inputs, whatever made the mask.
    const calibrated = plan.update !== undefined || plan.calibration !== undefined || asked.some(needsCalibration);
    const samples = { calibration: calibrated, gradients: asked.some(needsGradient) };
    const { inputs: prepared, calibration: ids, ...of } = await prepareSweep(plan, samples, hooks, state);
    const provenance = { ...of.provenance, modelHash: await of.modelHash() };
    const { objective } = plan.search;
    const inputs = searchInputs(prepared, objective);
    let tasks: TaskFitness | undefined;
    try {
      if (objective === 'tasks') tasks = await TaskFitness.open(plan.tasks, inputs, hooks, state);
      if (plan.kind === 'masks' && calibrated && !ids) throw drawsDocuments();
      if (plan.kind === 'masks' || dropsLayers(plan))
        requireHeadsAndChannels(modelComponents(inputs.checkpoint.config), `searching for ${plan.kind} (${plan.name})`);
      for (const evaluation of [...asked, ...baselinesOf(plan)]) throwIfFailed(refusal(evaluation, inputs));
      const needs = surveyNeeds(asked, rowsOfWeights(asked));
      const needed = samples.gradients ? await needGradients(inputs, provenance, state.gradients) : undefined;
      const { update } = plan;
      const { layouts } = inputs.weights;
      const room = keptRoom('solvers', plan.search);
      const ofWeights = update && isWeightUpdate(update) && solverBytes(layouts) <= room ? update : undefined;
      const refitting = refitsOf(plan);
      const keepsGrams = refitting !== undefined && denseGramBytes(layouts) <= room;
      const steps = stagedStepper(
        hooks,
        (needed?.steps ?? 0) +
          countDenseSteps(inputs, []) +
          ((await tasks?.denseSteps(inputs)) ?? 0) +
          countSurveySteps(inputs, needs) +
          (ofWeights || keepsGrams ? countSolverSteps(inputs) : 0),
      );
      const gradients = await needed?.get(steps('gradients'));
      const { losses } = await densePass(inputs, [], steps('evaluating'));
      const answered = await tasks?.dense(inputs, steps('evaluating'));
      const ready = { ...inputs, ...(gradients && { gradients: gradients.gradients }) };
      const found = await survey(ready, needs, steps('pruning'));
      for (const scores of found.scores.values()) throwIfFailed(scores);
      const components = modelComponents(inputs.checkpoint.config);
      const shares = found.outliers.get(OWL.multiple);
      const calibration = ids ?? new Int32Array();
      const costs = plan.sparsity.kind === 'budget' ? costsOf(inputs.checkpoint, plan) : undefined;
      const about = aboutMeasurements(plan);
      const told = { components, calibrationTokens: calibration.length, ...(costs && { costs }) };
      const opening: ComponentsOpening = {
        ...openingOf(losses, provenance, objective, costs ? { ...about, costs } : about, answered),
        ...told,
        ...(shares && { owl: owlRates(shares, components.map(blockWeights), equalShare(plan, told), OWL.spread) }),
      };
      const kept = ofWeights && (await KeptSolvers.collect(inputs, ofWeights, needs.rows, steps('pruning')));
      const grams = keepsGrams ? await denseGrams(inputs, steps('pruning')) : undefined;
      // Of masks hardly two are alike; levels of blocks are.
      const updated = update && new KeptWeights(plan.kind === 'rates' ? keptRoom('weights', plan.search) : 0);
      const refits = refitting && new DenseRefits(grams, updated!);
      const statistics = kept?.statistics ?? found.statistics;
      const opened = {
        inputs: {
          ...ready,
          ...(statistics && { statistics }),
          ...(kept && { solvers: kept.solvers }),
          ...(refits ? { refits } : updated && { updated }),
        },
        solvers: kept?.solvers,
        tasks,
        provenance,
        survey: found,
        calibration,
      };
      return new BlockSearchSession(plan, { ...opened, opening }, state);
    } catch (error) {
      tasks?.dispose();
      disposePrograms(inputs);
      throw error;
    }
  }

  /** Whose weights it works on. */
  get weights(): BlockWeights {
    return this.inputs.weights;
  }

  /** The gradients that it works with. */
  get gradients(): GradientOperands | undefined {
    return this.inputs.gradients;
  }

  probe(): never {
    throw sessionError('an open search for metrics', `one for ${this.plan.kind}`);
  }

  /** Of rates, where it searches for such, and of masks. */
  async measure({ candidates, on }: Measuring, hooks: StepHooks): Promise<Timed<MeasureOutcome>[]> {
    if (this.tasks) {
      const made = candidates.map((candidate) => this.modelOf(candidate, this.inputs));
      return this.tasks.measure(on, this.inputs, made, (make) => make(), hooks);
    }
    const evaluation = this.sequences(on);
    const inputs = { ...this.inputs, evaluation, programs: await this.programsFor(evaluation[0]!.length) };
    // All are looked at before the first is measured.
    const variants = candidates.map((candidate) => this.modelOf(candidate, inputs));
    return measureVariants(inputs, variants, (make) => make(), hooks);
  }

  /** See `Engine.componentScores`. */
  async componentScores(score: StructureScore, hooks: StepHooks): Promise<PackedValues> {
    const { plan, inputs, provenance, state } = this;
    const key = structureScoreText(score);
    const asked: PlannedEvaluation = {
      metric: key,
      structure: { kind: 'scored', score, rates: UNIFORM },
      sparsity: plan.sparsity,
    };
    const { checkpoint, device, weights, calibration: samples, calibrationPrograms } = inputs;
    const dense = { checkpoint, device, weights, samples };
    const dropping = plan.kind === 'masks' && plan.search.components !== 'heads-channels';
    const needs = surveyNeeds([asked], []);
    const needed = needsGradient(asked) ? await needGradients(inputs, provenance, state.gradients) : undefined;
    const steps = stagedStepper(
      hooks,
      (needed?.steps ?? 0) +
        countSurveySteps(inputs, needs) +
        (dropping ? countInfluenceSteps(dense, calibrationPrograms.batch) : 0),
    );
    const gradients = await needed?.get(steps('gradients'));
    const ready = { ...inputs, ...(gradients && { gradients: gradients.gradients }) };
    const scores = (await survey(ready, needs, steps('pruning'))).scores.get(key)!;
    if (scores instanceof EspalierError) throw scores;
    if (scores.kind !== 'components') throw removesOther(key, scores.kind);
    const influence = dropping && (await blockInfluence(dense, steps('pruning')));
    if (influence) requireFiniteScores({ kind: 'blocks', influence }, 'block influence');
    return {
      groups: packValues(joined(scores.blocks.map(({ groups }) => groups))),
      channels: packValues(joined(scores.blocks.map(({ channels }) => channels))),
      ...(influence && { blocks: packValues(Float32Array.from(influence)) }),
    };
  }

  dispose(): void {
    this.solvers?.dispose();
    this.tasks?.dispose();
    this.inputs.refits?.dispose();
    this.inputs.updated?.dispose();
    disposePrograms(this.inputs);
    for (const programs of this.programs.values()) programs.dispose();
    this.programs.clear();
  }

  /** What is measured of a candidate, made when its turn comes. */
  private modelOf(candidate: Candidate, inputs: SweepInputs): () => Variant {
    const { plan, opening } = this;
    const { components } = opening;
    if (candidate.kind === 'mask') {
      const { mask } = candidate;
      if (mask.length !== components.length)
        throw sessionError(`masks of ${components.length} blocks`, `one of ${mask.length}`);
      const removed = removedShareOfAll(components, mask);
      const update = refitsOf(plan);
      if (!update) return () => ({ metric: 'mask', mask, actualSparsity: removed });
      const sparsity = { kind: 'unstructured', share: removed } as const;
      return this.prepared({ metric: 'mask', structure: { kind: 'mask', mask }, sparsity, update }, inputs);
    }
    if (candidate.kind !== 'rates' || plan.kind !== 'rates')
      throw sessionError(`what a search for ${plan.kind} measures`, candidate.kind);
    return this.prepared(evaluationOf(plan, { kind: 'given', rates: candidate.rates }), inputs);
  }

  /** As an evaluation prepares it. */
  private prepared(evaluation: PlannedEvaluation, inputs: SweepInputs): () => Variant {
    throwIfFailed(refusal(evaluation, inputs));
    return () => {
      const prepared = prepareEvaluation({ ...this.plan, evaluations: [evaluation] }, 0, inputs, this.survey, {});
      if (prepared instanceof EspalierError) throw prepared;
      return prepared.variant;
    };
  }

  private sequences(on: Sequences): readonly Int32Array[] {
    if (on.kind === 'blocks') return blockRange(this.inputs, on.begin, on.end);
    if (on.kind === 'documents') throw sessionError('blocks or samples of a text', on.kind);
    const { offsets, tokens } = on;
    const { length } = this.calibration;
    const wrong = offsets.find((offset) => !(0 <= offset && offset + tokens <= length));
    if (wrong !== undefined) throw sessionError(`${tokens} of ${length} calibration tokens`, `those from ${wrong} on`);
    if (offsets.length === 0 || tokens < 2) throw sessionError('sequences with something to predict', 'none');
    return offsets.map((offset) => this.calibration.subarray(offset, offset + tokens));
  }

  private async programsFor(tokens: number): Promise<ModelPrograms> {
    const { checkpoint, device, programs, evaluation } = this.inputs;
    if (tokens === evaluation[0]!.length) return programs;
    let found = this.programs.get(tokens);
    if (!found) {
      found = await ModelPrograms.create(checkpoint.config, device, tokens);
      this.programs.set(tokens, found);
    }
    return found;
  }
}

interface Opened {
  readonly inputs: SweepInputs;
  readonly provenance: Provenance;
  readonly survey: Survey;
  readonly calibration: Int32Array;
  readonly opening: ComponentsOpening;
  readonly solvers: KeptSolvers | undefined;
  readonly tasks: TaskFitness | undefined;
}

/** What candidates are refitted with: nothing where whole layers go, since nothing of them is left. */
function refitsOf(plan: RateSearchPlan | MaskSearchPlan): StructureUpdate | undefined {
  const { update } = plan;
  return !update || isWeightUpdate(update) || (plan.kind === 'rates' && dropsLayers(plan)) ? undefined : update;
}

/** What a search will ask, as evaluations: they say what has to be known of the dense model. */
function evaluationsOf(plan: RateSearchPlan | MaskSearchPlan): readonly PlannedEvaluation[] {
  if (plan.kind === 'masks') return [];
  // OWL's rates are told with the opening, where there are samples to find them on.
  const rates: RateAllocation = plan.calibration === undefined ? UNIFORM : OWL;
  return [evaluationOf(plan, rates)];
}

/** What the search is compared with at its end: what is wrong with one of these is said at the beginning. */
function baselinesOf(plan: RateSearchPlan | MaskSearchPlan): readonly PlannedEvaluation[] {
  if (plan.kind === 'rates') return plan.baselines.map(({ rates }) => evaluationOf(plan, rates));
  const { sparsity, update } = plan;
  return plan.baselines.map(({ name, structure }) => ({
    metric: name,
    structure,
    sparsity,
    ...(update && { update }),
  }));
}

/** What goes of each block where all lose alike. @throws EspalierError `settings/invalid` where that meets no budget */
function equalShare(
  plan: RateSearchPlan | MaskSearchPlan,
  opening: Pick<ComponentsOpening, 'components' | 'costs'>,
): number {
  const evaluation = plan.kind === 'rates' && !dropsLayers(plan) ? evaluationOf(plan, UNIFORM) : undefined;
  return shareOf(
    plan.sparsity,
    opening,
    evaluation !== undefined && isStructural(evaluation) && isCompensated(evaluation),
  );
}

/** What decides a loss beside model, texts and how they are cut. */
function aboutMeasurements({ kind, sparsity, update, ...plan }: RateSearchPlan | MaskSearchPlan): object {
  const target = 'target' in plan && { target: plan.target };
  return { kind, sparsity: printSparsity(sparsity), ...target, ...(update && { update: canonicalJson(update) }) };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function throwIfFailed(outcome: unknown): void {
  if (outcome instanceof EspalierError) throw outcome;
}

function removesOther(score: string, removes: 'blocks' | 'experts'): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'scoring components',
    expected: 'a method that scores heads and channels',
    actual: `${score}, which removes ${REMOVED[removes]}`,
    remedy: 'Choose wanda-sp, magnitude, taylor, flap, or a metric.',
  });
}

/** Its steps cut sequences out of the calibration text. */
function drawsDocuments(): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'searching for masks',
    expected: 'calibration samples out of rows that are joined to one text',
    actual: 'samples of documents',
    remedy: 'Choose other offsets: even, random or python.',
  });
}
