import { EspalierError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errorSchema.ts';
import type { BlockMask } from '../../experiment/structureSchema.ts';
import type { WeightUpdate } from '../../experiment/updates.ts';
import type { Parameter } from '../families/family.ts';
import type { HiddenStream } from '../forward/hiddenStream.ts';
import { isWhole, type MaskInputs, maskInputs } from '../forward/maskInputs.ts';
import { Pruner } from '../pruning/pruner.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { Refitter } from '../structure/refitter.ts';
import type { UpdateSolver } from '../update/updateSolver.ts';
import type { LayerSolvers } from './blockSolvers.ts';
import type { BlockVisit } from './blockVisit.ts';
import { CalibrationStream } from './calibrationStream.ts';
import type { HiddenBatch } from '../forward/hiddenBatch.ts';
import { openStates, type StateStream } from '../forward/stateStream.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Step } from '../forward/step.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import { ScoredStream, type Scores } from '../scoring/scoredStream.ts';
import { observeBlock } from './observeBlock.ts';
import { refitBlock } from './refitBlock.ts';
import type { Refitted, Removal } from './removal.ts';
import type { SweepInputs, SweepOutcome, Variant } from './sweepInputs.ts';

/** The dense model or a variant of it on its way through the blocks. */
export class Track {
  private readonly inputs: SweepInputs;
  private readonly variant: Variant | undefined;
  /** Absent where no perplexity is wanted, and before the block that it begins at. */
  private evaluation: StateStream | undefined;
  private readonly tasks: ScoredStream | undefined;
  /** Of the tasks alone. */
  private readonly taskWatch: Stopwatch;
  private scores: Scores | undefined;
  /** Only where statistics, or H, come from what this variant leaves of the samples. */
  private readonly calibration: CalibrationStream | undefined;
  private readonly stopwatch: Stopwatch;
  /** Solvers that another track has opened, and whose time is counted here, too. */
  private readonly shared = new WeakSet<UpdateSolver>();
  /** Blocks before this one are the dense model's, and what leaves them is another track's, too. */
  private readonly begins: number;
  private failure: EspalierError | undefined;
  private loss = 0;

  private constructor(
    inputs: SweepInputs,
    variant: Variant | undefined,
    streams: {
      readonly evaluation: StateStream | undefined;
      readonly tasks: ScoredStream | undefined;
      readonly begins: number;
    },
    calibration: CalibrationStream | undefined,
    stopwatch: Stopwatch,
  ) {
    this.inputs = inputs;
    this.variant = variant;
    this.evaluation = streams.evaluation;
    this.tasks = streams.tasks;
    this.begins = streams.begins;
    this.taskWatch = new Stopwatch(inputs.now);
    this.calibration = calibration;
    this.stopwatch = stopwatch;
  }

  /**
   * @param others of the same sweep, none of which has moved yet: what the blocks begin with is the same for all
   * @param begins the block at which it gets its states of another track, see {@link beginWith}; of one without samples and tasks of its own
   */
  static async open(
    inputs: SweepInputs,
    variant: Variant | undefined,
    others: readonly Track[] = [],
    begins = 0,
  ): Promise<Track> {
    const stopwatch = new Stopwatch(inputs.now);
    const rows = variant instanceof Pruner ? variant.rows : [];
    const observes = rows.length > 0 || (variant instanceof Pruner && variant.update !== undefined);
    const refits = variant !== undefined && 'refitter' in variant && variant.refitter !== undefined;
    const sequential =
      (refits && !inputs.refits) || (!inputs.statistics && inputs.calibrate === 'sequential' && observes);
    const { evaluation: sequences, asked, scratchFolder } = inputs;
    const moving = others.find(({ evaluation }) => evaluation);
    const begin = (): Promise<StateStream> => openStates(inputs, sequences, scratchFolder, [], moving?.evaluation);
    const evaluation = sequences.length > 0 && begins === 0 ? await stopwatch.time(begin) : undefined;
    const tasks = asked && (await stopwatch.time(() => ScoredStream.open(inputs, asked)));
    const sampled = others.find(({ calibration }) => calibration)?.calibration;
    const calibration = sequential
      ? await stopwatch.time(() => CalibrationStream.open(inputs, rows, sampled))
      : undefined;
    return new Track(inputs, variant, { evaluation, tasks, begins }, calibration, stopwatch);
  }

  /** What still prunes: undefined of the dense model, of whole components, and where it is over since the metric cannot rank. */
  get pruner(): Pruner | undefined {
    return this.variant instanceof Pruner && !this.failure ? this.variant : undefined;
  }

  /** Takes the states that the dense model's blocks have left, where this is the block that it begins at; the way there counts as its own. */
  async beginWith(other: Track, index: number): Promise<void> {
    if (index === 0 || index !== this.begins) return;
    this.stopwatch.add(other.stopwatch.seconds);
    this.evaluation = await this.stopwatch.time(() => (other.evaluation as HiddenStream).copy());
  }

  /** Prunes the block and moves the streams on. */
  async visit(visit: BlockVisit, step: Step): Promise<void> {
    if (this.failure) return;
    const { variant } = this;
    await this.stopwatch.time(async () => {
      if (variant instanceof Pruner) await this.visitPruned(variant, visit, step);
      else if (variant) await this.visitRemoved(variant, visit, step);
      else await this.carry(visit, visit.block, step, `dense, ${visit.where}`);
    });
  }

  private async visitPruned(pruner: Pruner, visit: BlockVisit, step: Step): Promise<void> {
    const { layout, block, last, where } = visit;
    const own = this.calibration && (await observeBlock(this.inputs, this.calibration, visit, [pruner], false, step));
    let pruned: Weights | undefined;
    try {
      pruned = await this.prune(pruner, own ? { ...visit, ...own } : visit, step);
    } finally {
      own?.solvers?.dispose();
    }
    if (!pruned) return;
    try {
      await step(`pruning, ${where}`);
      if (!last) await this.calibration?.advance(layout, pruned, step, `calibrating, ${where}`);
      await this.carry(visit, pruned, step, `evaluating, ${where}`);
    } finally {
      const linears = layout.parameters.filter(({ linear }) => linear);
      pruner.done(linears.flatMap(({ name }) => (pruned[name] === block[name] ? [] : [pruned[name]!])));
    }
  }

  private async visitRemoved({ mask, fills, refitter }: Removal, visit: BlockVisit, step: Step): Promise<void> {
    const { index, layout, block, last, where } = visit;
    if (isWhole(layout, mask[index]!) && !refitter) return this.carry(visit, block, step, `evaluating, ${where}`);
    const inputs = maskInputs(layout, mask[index]!, fills?.[index]);
    let refitted: Refitted | undefined;
    try {
      if (refitter) refitted = await this.refit(refitter, mask[index]!, visit, step);
      const left = { ...block, ...refitted?.weights };
      if (this.calibration && !last) {
        const { stream } = this.calibration;
        if (inputs) await stream.advance(layout, left, step, `calibrating, ${where}`, { mask: inputs });
        else await standStill(stream.steps, step, `calibrating, ${where}`);
      }
      if (inputs) await this.carry(visit, left, step, `evaluating, ${where}`, inputs);
      else await standStill(this.batches, step, `evaluating, ${where}`);
    } catch (error) {
      this.endAfter(error);
    } finally {
      refitted?.done();
    }
  }

  /** Carries all that is evaluated through a block, or through what a mask leaves of it. */
  private async carry(
    { index, layout, last }: BlockVisit,
    block: Weights,
    step: Step,
    where: string,
    mask?: MaskInputs,
  ): Promise<void> {
    if (index < this.begins) return standStill(this.batches, step, where);
    await this.evaluation?.advance(layout, block, step, where, { mask });
    await this.taskWatch.time(async () => this.tasks?.advance(layout, block, step, `${where}, tasks`, { mask, last }));
  }

  /** Steps of a block. */
  private get batches(): number {
    const { evaluation, programs } = this.inputs;
    return Math.ceil(evaluation.length / programs.batch) + (this.tasks?.steps ?? 0);
  }

  private refit(refitter: Refitter, mask: BlockMask, visit: BlockVisit, step: Step): Promise<Refitted> {
    const { inputs, calibration } = this;
    return inputs.refits
      ? inputs.refits.refit(visit, mask, refitter, step)
      : refitBlock(inputs, calibration!, visit, mask, refitter, step);
  }

  /** Adds up the losses after the last block. */
  async finish(head: Weights, step: Step): Promise<void> {
    if (this.failure) return;
    let onFinal = this.variant && this.inputs.onFinal;
    await this.evaluation?.each(async ({ batches }) => {
      await onFinal?.({ batch: batches[0]!, head });
      onFinal = undefined;
      await this.stopwatch.time(() => this.addLosses(batches, head, step));
    });
    await this.stopwatch.time(async () => {
      this.scores = await this.taskWatch.time(async () => this.tasks?.finish(head, step));
    });
  }

  private async addLosses(batches: readonly HiddenBatch[], head: Weights, step: Step): Promise<void> {
    for (const batch of batches) {
      for (const loss of await this.losses(batch, head)) this.loss += loss;
      await step(this.inputs.denseStates ? 'divergence' : 'perplexity');
    }
  }

  /** @param shared seconds of common work that this evaluation would do alone too */
  outcome(shared: number): SweepOutcome | EspalierError {
    if (this.failure) return this.failure;
    const { evaluation, denseStates } = this.inputs;
    // The protocol weights every block's mean loss alike: all have T − 1 predictions, so that is the mean of them all.
    const predictions = evaluation.reduce((sum, { length }) => sum + length - 1, 0);
    const loss = predictions > 0 ? this.loss / predictions : NaN;
    const [what, value] = denseStates ? ['divergence from the dense model', loss] : ['perplexity', Math.exp(loss)];
    if (predictions > 0 && !Number.isFinite(value)) return notFinite(this.variant?.metric, what, value);
    const { scores } = this;
    const wrong = scores?.logLikelihoods.find((likelihood) => !Number.isFinite(likelihood));
    if (wrong !== undefined) return notFinite(this.variant?.metric, 'log-likelihood of every choice', wrong);
    return {
      loss,
      ...(scores && { tasks: { scores, fed: this.inputs.asked!.fed, seconds: this.taskWatch.seconds } }),
      actualSparsity: this.variant?.actualSparsity ?? this.inputs.weights.zeroShare,
      seconds: this.stopwatch.seconds + shared,
    };
  }

  /** Sums over the sequences of a batch. */
  private async losses(batch: HiddenBatch, head: Weights): Promise<number[]> {
    const { programs, denseStates, device } = this.inputs;
    if (!denseStates) return programs.losses(batch, head);
    return programs.divergences(batch, await denseStates.of(device, batch), head);
  }

  async dispose(): Promise<void> {
    await this.evaluation?.dispose();
    await this.calibration?.dispose();
    await this.tasks?.dispose();
  }

  /**
   * The block with its linear layers pruned and updated; undefined when the metric cannot rank one of them, or the update cannot be computed,
   * which ends this track.
   */
  private async prune(
    pruner: Pruner,
    { index, layout, block, gradients, statistics, solvers, where }: BlockVisit,
    step: Step,
  ): Promise<Weights | undefined> {
    const pruned: Record<string, DeviceTensor> = {};
    const updated = new Set(pruner.updated(index, layout));
    try {
      for (const parameter of layout.parameters) {
        if (!parameter.linear) continue;
        const { name } = parameter;
        const updater = (): Promise<UpdateSolver> => this.solver(solvers!, parameter, pruner.update!, step.pause);
        const seen = statistics?.get(name);
        const made = await pruner.prune(index, parameter, block[name]!, seen, gradients?.[name], updater, step.pause);
        if (made) pruned[name] = made;
        if (updated.has(parameter)) solvers!.release(parameter);
        if (pruner.update) await step(`updating, ${where}`);
      }
      return { ...block, ...pruned };
    } catch (error) {
      pruner.done(Object.values(pruned));
      this.endAfter(error);
      return undefined;
    }
  }

  /** Ends this track alone, where the error is a fault of its own. */
  private endAfter(error: unknown): void {
    if (!(error instanceof EspalierError) || !OWN_FAULTS.has(error.code)) throw error;
    this.failure = error;
  }

  private async solver(
    solvers: LayerSolvers,
    layer: Parameter,
    update: WeightUpdate,
    pause?: Pause,
  ): Promise<UpdateSolver> {
    const { solver, seconds } = await solvers.get(layer, update, pause);
    if (!this.shared.has(solver)) this.stopwatch.add(seconds);
    this.shared.add(solver);
    return solver;
  }
}

/** A block that is dropped leaves what comes to it as it is; its steps are over at once. */
async function standStill(batches: number, step: Step, where: string): Promise<void> {
  for (let left = batches; left > 0; left--) await step(where);
}

/** Errors that end one evaluation, and not the others. */
const OWN_FAULTS: ReadonlySet<ErrorCode> = new Set(['metric/invalid-score', 'recovery/ill-conditioned']);

function notFinite(metric: string | undefined, what: string, value: number): EspalierError {
  return new EspalierError({
    code: 'evaluation/not-finite',
    operation: metric === undefined ? 'evaluating the dense model' : `evaluating the model pruned with ${metric}`,
    expected: `a finite ${what}`,
    actual: String(value),
    remedy:
      metric === undefined
        ? 'Check the checkpoint’s weights; with precision float16 also try float32.'
        : 'Prune less or change the metric; with precision float16 also try float32.',
  });
}
