import { EspalierError } from '../../base/errors.ts';
import type { ModelMask } from '../../experiment/components.ts';
import type { Provenance } from '../../experiment/result.ts';
import type { StructurePlan } from '../../experiment/runPlan.ts';
import type { MeasureOutcome } from '../../experiment/searchEvents.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { StructureOpening } from '../../experiment/structureEvents.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { EvaluationHooks } from '../engine.ts';
import { type EngineState, prepareSweep } from '../evaluation/prepareSweep.ts';
import { stepper } from '../evaluation/stepper.ts';
import type { SweepInputs } from '../evaluation/sweep.ts';
import { inGroups } from '../evaluation/sweepGroups.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import { modelComponents } from '../models/components.ts';
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
 * and its forward passes.
 */
export class StructureSession {
  readonly opening: StructureOpening;
  /** Evaluation blocks in the order of {@link blockOrder}. */
  private readonly inputs: SweepInputs;
  /** Token ids of the calibration text. */
  private readonly calibration: Int32Array;
  /** Programs for sequences that are not as long as evaluation blocks. */
  private readonly programs = new Map<number, ModelPrograms>();

  private constructor(inputs: SweepInputs, calibration: Int32Array, opening: StructureOpening) {
    this.inputs = inputs;
    this.calibration = calibration;
    this.opening = opening;
  }

  /** @throws EspalierError as an evaluation does */
  static async open(plan: StructurePlan, hooks: SessionHooks, state: EngineState): Promise<StructureSession> {
    const calibrated = plan.calibration !== undefined;
    const { inputs: prepared, provenance } = await prepareSweep(plan, calibrated, hooks, state);
    const order = blockOrder(prepared.evaluation.length);
    const inputs: SweepInputs = {
      ...prepared,
      calibrate: 'one-shot',
      evaluation: order.map((index) => prepared.evaluation[index]!),
    };
    try {
      const step = stepper(hooks, countDenseSteps(inputs, []));
      const { losses } = await densePass(inputs, [], step);
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
      };
      return new StructureSession(inputs, calibration, opening);
    } catch (error) {
      inputs.programs.dispose();
      throw error;
    }
  }

  /** Whose weights it works on. */
  get weights(): BlockWeights {
    return this.inputs.weights;
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
