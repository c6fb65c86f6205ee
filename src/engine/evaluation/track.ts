import { EspalierError } from '../../base/errors.ts';
import type { BlockLayout } from '../models/model.ts';
import type { Pruner } from '../pruning/pruner.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { BlockStatistics } from './blockStatistics.ts';
import { CalibrationStream } from './calibrationStream.ts';
import { embed } from '../forward/embed.ts';
import type { HiddenStream, Step } from '../forward/hiddenStream.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import type { SweepInputs, SweepOutcome } from './sweep.ts';

/** A block as the sweep comes to it. */
export interface BlockVisit {
  readonly layout: BlockLayout;
  readonly block: Weights;
  /** No block comes after this one: calibration ends here. */
  readonly last: boolean;
  /** Statistics of the dense model, where calibration is one-shot. */
  readonly statistics: BlockStatistics | undefined;
  /** The operand G by the layers' names, where a metric uses it. */
  readonly gradients: Weights | undefined;
  /** For a person: "block 3 of 6". */
  readonly where: string;
}

/** One model on its way through the blocks: the dense one, or one that a pruner prunes on the way. */
export class Track {
  private readonly inputs: SweepInputs;
  private readonly pruner: Pruner | undefined;
  private readonly evaluation: HiddenStream;
  /** Only where calibration is sequential and the metric needs statistics. */
  private readonly calibration: CalibrationStream | undefined;
  private readonly stopwatch: Stopwatch;
  private failure: EspalierError | undefined;
  private loss = 0;

  private constructor(
    inputs: SweepInputs,
    pruner: Pruner | undefined,
    evaluation: HiddenStream,
    calibration: CalibrationStream | undefined,
    stopwatch: Stopwatch,
  ) {
    this.inputs = inputs;
    this.pruner = pruner;
    this.evaluation = evaluation;
    this.calibration = calibration;
    this.stopwatch = stopwatch;
  }

  static async open(inputs: SweepInputs, pruner: Pruner | undefined): Promise<Track> {
    const stopwatch = new Stopwatch(inputs.now);
    const sequential =
      !inputs.statistics && inputs.calibrate === 'sequential' && pruner !== undefined && pruner.rows.length > 0;
    const evaluation = await stopwatch.time(() => embed(inputs, inputs.evaluation));
    const calibration = sequential
      ? await stopwatch.time(() => CalibrationStream.open(inputs, pruner.rows))
      : undefined;
    return new Track(inputs, pruner, evaluation, calibration, stopwatch);
  }

  /** Prunes the block and moves the model's streams on. */
  async visit({ layout, block, last, statistics: oneShot, gradients, where }: BlockVisit, step: Step): Promise<void> {
    if (this.failure) return;
    await this.stopwatch.time(async () => {
      if (!this.pruner) {
        await this.evaluation.advance(layout, block, step, `dense, ${where}`);
        return;
      }
      const statistics = this.calibration
        ? await this.calibration.observe(layout, block, false, step, `calibrating, ${where}`)
        : oneShot;
      const pruned = await this.prune(this.pruner, layout, block, statistics, gradients);
      if (!pruned) return;
      try {
        await step(`pruning, ${where}`);
        if (!last) await this.calibration?.advance(layout, pruned, step, `calibrating, ${where}`);
        await this.evaluation.advance(layout, pruned, step, `evaluating, ${where}`);
      } finally {
        for (const { name, linear } of layout.parameters) if (linear) pruned[name]!.dispose();
      }
    });
  }

  /** Adds up the losses after the last block. */
  async finish(head: Weights, step: Step): Promise<void> {
    if (this.failure) return;
    if (this.pruner) await this.inputs.onFinal?.({ batch: this.evaluation.batches[0]!, head });
    await this.stopwatch.time(async () => {
      for (const batch of this.evaluation.batches) {
        for (const loss of await this.inputs.programs.losses(batch, head)) this.loss += loss;
        await step('perplexity');
      }
    });
  }

  /** @param shared seconds of common work that this evaluation would do alone too */
  outcome(shared: number): SweepOutcome | EspalierError {
    if (this.failure) return this.failure;
    const { evaluation } = this.inputs;
    // The protocol weights every block's mean loss alike: all have T − 1 predictions, so that is the mean of them all.
    const perplexity = Math.exp(this.loss / (evaluation.length * (evaluation[0]!.length - 1)));
    if (!Number.isFinite(perplexity)) return notFinite(this.pruner?.metric, perplexity);
    return {
      perplexity,
      actualSparsity: this.pruner ? this.pruner.zeros / this.pruner.weights : 0,
      seconds: this.stopwatch.seconds + shared,
    };
  }

  dispose(): void {
    this.evaluation.dispose();
    this.calibration?.dispose();
  }

  /** The block with its linear layers pruned; undefined when the metric cannot rank one of them, which ends this track. */
  private async prune(
    pruner: Pruner,
    layout: BlockLayout,
    block: Weights,
    statistics: BlockStatistics | undefined,
    gradients: Weights | undefined,
  ): Promise<Weights | undefined> {
    const pruned: Record<string, DeviceTensor> = {};
    try {
      for (const parameter of layout.parameters) {
        if (!parameter.linear) continue;
        const { name } = parameter;
        pruned[name] = await pruner.prune(parameter, block[name]!, statistics?.get(name), gradients?.[name]);
      }
      return { ...block, ...pruned };
    } catch (error) {
      for (const tensor of Object.values(pruned)) tensor.dispose();
      if (!(error instanceof EspalierError) || error.code !== 'metric/invalid-score') throw error;
      this.failure = error;
      return undefined;
    }
  }
}

function notFinite(metric: string | undefined, perplexity: number): EspalierError {
  return new EspalierError({
    code: 'evaluation/not-finite',
    operation: metric === undefined ? 'evaluating the dense model' : `evaluating the model pruned with ${metric}`,
    expected: 'a finite perplexity',
    actual: String(perplexity),
    remedy:
      metric === undefined
        ? 'Check the checkpoint’s weights; with precision float16 also try float32.'
        : 'Prune less or change the metric; with precision float16 also try float32.',
  });
}
