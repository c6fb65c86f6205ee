import { EspalierError } from '../../base/errors.ts';
import type { ModelMask } from '../../experiment/components.ts';
import { packValues } from '../../experiment/packedValues.ts';
import type { RateSearchPlan } from '../../experiment/rateSearch.ts';
import type { Provenance } from '../../experiment/result.ts';
import type { StructurePlan } from '../../experiment/runPlan.ts';
import type { MeasureOutcome } from '../../experiment/searchEvents.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { OWL, STRUCTURE_METHODS, type StructureScore } from '../../experiment/structure.ts';
import type { PackedValues, StructureOpening } from '../../experiment/structureEvents.ts';
import { operandsOf } from '../../metric/measure.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { EvaluationHooks } from '../engine.ts';
import { needGradients } from '../evaluation/gradientsOf.ts';
import { calibrationPass, countCalibrationSteps } from '../evaluation/calibrationPass.ts';
import { type EngineState, prepareSweep } from '../evaluation/prepareSweep.ts';
import { stagedStepper, stepper } from '../evaluation/stepper.ts';
import type { SweepInputs } from '../evaluation/sweep.ts';
import { inGroups } from '../evaluation/sweepGroups.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import type { Step } from '../forward/hiddenStream.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import { modelComponents } from '../models/components.ts';
import { isRowOperand, type RowOperand } from '../pruning/inputStatistics.ts';
import { blockInfluence } from '../structure/blockInfluence.ts';
import type { ModelScores } from '../structure/componentScores.ts';
import { maskAtRates } from '../structure/masks.ts';
import { outlierShares } from '../structure/outliers.ts';
import { givenRates, owlRates } from '../structure/rates.ts';
import type { ComponentScorer, ScoringModel } from '../structure/scorer.ts';
import { scorerOf } from '../structure/scorers.ts';
import { blockOrder } from './blockOrder.ts';
import { countDenseSteps, densePass } from './densePass.ts';
import { type MaskedModel, maskedLosses } from './maskedLosses.ts';

type SessionHooks = Pick<EvaluationHooks, 'signal' | 'onProgress'>;

/** What masks are measured on. */
export type MaskSequences =
  /** Blocks `begin` to `end` − 1 of the fitness text. */
  | { readonly kind: 'blocks'; readonly begin: number; readonly end: number }
  /** Sequences of `tokens` tokens that begin at these tokens of the calibration text. */
  | { readonly kind: 'samples'; readonly offsets: readonly number[]; readonly tokens: number };

export interface MeasuredLoss {
  readonly measure: MeasureOutcome;
  readonly seconds: number;
}

/**
 * The numeric side of a search for rates or for masks in one process. The dense losses, the dense model's statistics and what the
 * components score are computed once; weights stay where they are, and programs are compiled once, so that a question costs its masks
 * and its forward passes. Scores are those of the dense model (one-shot).
 */
export class StructureSession {
  readonly opening: StructureOpening;
  private readonly plan: StructurePlan;
  /** Evaluation blocks in the order of {@link blockOrder}, and the statistics of the dense model that the plan needs. */
  private readonly inputs: SweepInputs;
  private readonly provenance: Provenance;
  private readonly state: EngineState;
  /** Token ids of the calibration text. */
  private readonly calibration: Int32Array;
  /** What the components score that a search for rates removes. */
  private readonly scores: ScoresOfComponents | undefined;
  /** Programs for sequences that are not as long as evaluation blocks. */
  private readonly programs = new Map<number, ModelPrograms>();

  private constructor(
    plan: StructurePlan,
    { inputs, provenance }: Prepared,
    state: EngineState,
    calibration: Int32Array,
    scores: ScoresOfComponents | undefined,
    opening: StructureOpening,
  ) {
    this.plan = plan;
    this.inputs = inputs;
    this.provenance = provenance;
    this.state = state;
    this.calibration = calibration;
    this.scores = scores;
    this.opening = opening;
  }

  /** @throws EspalierError as an evaluation does, and `settings/invalid` for rates of a method that removes whole blocks */
  static async open(plan: StructurePlan, hooks: SessionHooks, state: EngineState): Promise<StructureSession> {
    const calibrated = plan.calibration !== undefined;
    const prepared = await prepareSweep(plan, calibrated, hooks, state);
    const { inputs, provenance } = { ...prepared, inputs: inRungOrder(prepared.inputs) };
    try {
      const needs = needsOf(plan);
      const gradients = needs.gradient ? await needGradients(inputs, provenance, state.gradients) : undefined;
      const scorer = plan.kind === 'rates' && plan.target.kind === 'structure' ? scorerFor(plan.target) : undefined;
      const steps = stagedStepper(
        hooks,
        (gradients?.steps ?? 0) + countDenseSteps(inputs, needs.rows) + (scorer?.countSteps(modelOf(inputs)) ?? 0),
      );
      const found = await gradients?.get(steps('gradients'));
      const { losses, statistics } = await densePass(inputs, needs.rows, steps('evaluating'));
      const ready = { ...inputs, statistics, ...(found && { gradients: found.gradients }) };
      const scores = scorer && (await scoresOf(scorer, ready, steps('pruning')));
      const owl = plan.kind === 'rates' && calibrated ? await owlOf(plan, ready) : undefined;
      const calibration = calibrated ? await calibrationTokens(plan, inputs, hooks, state) : new Int32Array();
      const opening: StructureOpening = {
        blocks: losses.length,
        denseLosses: losses,
        densePerplexity: Math.exp(losses.reduce((sum, loss) => sum + loss, 0) / losses.length),
        fingerprint: openingFingerprint(plan, provenance),
        device: provenance.deviceName,
        parameters: provenance.parameters,
        architecture: provenance.architecture,
        components: modelComponents(inputs.checkpoint.config),
        calibrationTokens: calibration.length,
        ...(owl && { owl }),
      };
      return new StructureSession(plan, { inputs: ready, provenance }, state, calibration, scores, opening);
    } catch (error) {
      inputs.programs.dispose();
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

  /** See `Engine.measureRates`. */
  async measureRates(
    configurations: readonly (readonly number[])[],
    begin: number,
    end: number,
    hooks: SessionHooks,
  ): Promise<MeasuredLoss[]> {
    const { components } = this.opening;
    for (const rates of configurations) givenRates(rates, components.length);
    const sequences = this.blocks(begin, end);
    if (!this.scores) throw invariant('a search for rates', `a search for ${this.plan.kind}`);
    const { blocks, fills } = this.scores;
    const models = configurations.map((rates) => ({
      mask: maskAtRates(components, blocks, rates),
      ...(fills && { fill: fills }),
    }));
    return this.measure(models, sequences, this.inputs.programs, hooks);
  }

  /** See `Engine.measureMasks`. */
  async measureMasks(masks: readonly ModelMask[], on: MaskSequences, hooks: SessionHooks): Promise<MeasuredLoss[]> {
    const { depth } = this.inputs.checkpoint.config;
    const wrong = masks.find(({ length }) => length !== depth);
    if (wrong) throw invariant(`masks of ${depth} blocks`, `one of ${wrong.length}`);
    const sequences = this.sequences(on);
    return this.measure(
      masks.map((mask) => ({ mask })),
      sequences,
      await this.programsFor(sequences[0]!.length),
      hooks,
    );
  }

  dispose(): void {
    this.inputs.programs.dispose();
    for (const programs of this.programs.values()) programs.dispose();
    this.programs.clear();
  }

  /** See `Engine.componentScores`. */
  async componentScores(score: StructureScore, hooks: SessionHooks): Promise<PackedValues> {
    const scorer = scorerFor({ score });
    const wanted = this.plan.kind === 'masks' ? this.plan.search.components : 'heads-channels';
    const needed = scorer.usesGradient
      ? await needGradients(this.inputs, this.provenance, this.state.gradients)
      : undefined;
    const rows = scorer.rows;
    const model = modelOf(this.inputs);
    const steps = stagedStepper(
      hooks,
      (needed?.steps ?? 0) + countCalibrationSteps(this.inputs, rows) + scorer.countSteps(model),
    );
    const found = await needed?.get(steps('gradients'));
    const statistics = await calibrationPass(this.inputs, rows, steps('pruning'));
    const ready = { ...this.inputs, statistics, ...(found && { gradients: found.gradients }) };
    const { blocks } = await scoresOf(scorer, ready, steps('pruning'));
    const influence = wanted === 'heads-channels' ? undefined : await blockInfluence(model, steps('pruning'));
    return {
      groups: packValues(joined(blocks.map(({ groups }) => groups))),
      channels: packValues(joined(blocks.map(({ channels }) => channels))),
      ...(influence && { blocks: packValues(Float32Array.from(influence)) }),
    };
  }

  private async measure(
    models: readonly MaskedModel[],
    sequences: readonly Int32Array[],
    programs: ModelPrograms,
    { signal }: SessionHooks,
  ): Promise<MeasuredLoss[]> {
    const inputs = { ...this.inputs, programs, evaluation: sequences };
    // Without a total, steps are not counted: what a person watches is configurations, or steps of the search.
    const step = stepper({ signal }, 0);
    const measured: MeasuredLoss[] = [];
    for (const group of inGroups(models, inputs)) {
      const stopwatch = new Stopwatch(this.inputs.now);
      const losses = await stopwatch.time(() => maskedLosses(inputs, sequences, group, step));
      const seconds = stopwatch.seconds / group.length;
      for (const loss of losses) measured.push({ measure: outcomeOf(loss, sequences.length), seconds });
    }
    return measured;
  }

  private sequences(on: MaskSequences): readonly Int32Array[] {
    if (on.kind === 'blocks') return this.blocks(on.begin, on.end);
    const { offsets, tokens } = on;
    const last = this.calibration.length - tokens;
    const wrong = offsets.find((offset) => !(0 <= offset && offset <= last));
    if (wrong !== undefined) {
      throw invariant(
        `${tokens} tokens of the calibration text, which has ${this.calibration.length}`,
        `token ${wrong} on`,
      );
    }
    if (offsets.length === 0 || tokens < 2) throw invariant('sequences with something to predict', 'none');
    return offsets.map((offset) => this.calibration.subarray(offset, offset + tokens));
  }

  private blocks(begin: number, end: number): readonly Int32Array[] {
    const { blocks } = this.opening;
    if (0 <= begin && begin < end && end <= blocks) return this.inputs.evaluation.slice(begin, end);
    throw invariant(`a range of the ${blocks} evaluation blocks`, `${begin} to ${end}`);
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

interface Prepared {
  readonly inputs: SweepInputs;
  readonly provenance: Provenance;
}

type ScoresOfComponents = Extract<ModelScores, { kind: 'components' }>;

function inRungOrder(prepared: SweepInputs): SweepInputs {
  const order = blockOrder(prepared.evaluation.length);
  return { ...prepared, calibrate: 'one-shot', evaluation: order.map((index) => prepared.evaluation[index]!) };
}

/** What the whole search needs of the dense model. */
function needsOf(plan: StructurePlan): { readonly rows: readonly RowOperand[]; readonly gradient: boolean } {
  if (plan.kind === 'masks') return { rows: [], gradient: false };
  const { target, calibration } = plan;
  const owl: RowOperand[] = calibration === undefined ? [] : ['X'];
  if (target.kind === 'structure') {
    const scorer = scorerFor(target);
    return { rows: [...new Set([...scorer.rows, ...owl])], gradient: scorer.usesGradient };
  }
  const operands = operandsOf(target.expression);
  return { rows: [...new Set([...operands.filter(isRowOperand), ...owl])], gradient: operands.includes('G') };
}

/** @throws EspalierError for a method that removes whole blocks */
function scorerFor({ score, name }: { readonly score: StructureScore; readonly name?: string }): ComponentScorer {
  if (score.kind === 'metric' || STRUCTURE_METHODS[score.method].removes === 'components') return scorerOf(score, name);
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'opening a search',
    expected: 'a method that scores heads and channels',
    actual: `${score.method}, which removes whole blocks`,
    remedy: 'Choose another: wanda-sp, magnitude, taylor, flap, or a metric.',
  });
}

function modelOf({ checkpoint, device, weights, calibration, statistics, gradients }: SweepInputs): ScoringModel {
  return { checkpoint, device, weights, samples: calibration, statistics, gradients };
}

async function scoresOf(scorer: ComponentScorer, inputs: SweepInputs, step: Step): Promise<ScoresOfComponents> {
  const scores = await scorer.score(modelOf(inputs), step);
  if (scores.kind === 'components') return scores;
  throw invariant('scores of heads and channels', 'scores of blocks');
}

async function owlOf({ sparsity }: RateSearchPlan, inputs: SweepInputs): Promise<number[]> {
  const shares = await outlierShares(modelOf(inputs), OWL.multiple, () => Promise.resolve());
  return owlRates(shares, sparsity.share, OWL.spread);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

async function calibrationTokens(
  plan: StructurePlan,
  { checkpoint }: SweepInputs,
  { signal }: SessionHooks,
  { tokenCache }: EngineState,
): Promise<Int32Array> {
  const { ids } = await tokenCache.tokens(plan.model, checkpoint.config.vocabulary, plan.calibration!, signal);
  return ids;
}

/** A loss that is not finite is an answer: what was removed cannot be removed. */
function outcomeOf(loss: number, blocks: number): MeasureOutcome {
  return Number.isFinite(loss)
    ? { kind: 'loss', blocks, loss }
    : { kind: 'invalid', reason: 'not-finite', detail: `a loss of ${loss}` };
}

function openingFingerprint(plan: StructurePlan, provenance: Provenance): string {
  const { modelHash, textHash, calibrationHash, samples, offsets, seed } = provenance;
  const { blocks, length, group, device, precision, versions } = provenance;
  const scored = plan.kind === 'rates' ? plan.target : plan.score;
  const sparsity = printSparsity(plan.sparsity);
  const calibration = calibrationHash !== undefined && { calibrationHash, samples, offsets, seed };
  const where = { device, precision, versions };
  return sha256(
    JSON.stringify({ modelHash, textHash, calibration, blocks, length, group, scored, sparsity, ...where }),
  );
}

function invariant(expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'measuring what is left of a model',
    expected,
    actual,
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}
