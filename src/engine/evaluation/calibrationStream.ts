import { type InputStatistic, observedInput } from '../models/blockGraph.ts';
import type { BlockLayout } from '../models/model.ts';
import { InputStatistics, inputStatisticsFor, type RowOperand } from '../pruning/inputStatistics.ts';
import type { Weights } from '../forward/blockWeights.ts';
import { embed } from '../forward/embed.ts';
import type { HiddenStream, Step } from '../forward/hiddenStream.ts';
import type { SweepInputs } from './sweep.ts';

/** Statistics of every linear layer's input in one block, by the layer's name. */
export type BlockStatistics = ReadonlyMap<string, InputStatistics>;

export type CalibrationInputs = Pick<SweepInputs, 'checkpoint' | 'device' | 'programs' | 'calibration'>;

/** The calibration samples on their way through the blocks, and what the linear layers see of them. */
export class CalibrationStream {
  private readonly inputs: CalibrationInputs;
  private readonly stream: HiddenStream;
  private readonly statistics: readonly InputStatistic[];

  private constructor(inputs: CalibrationInputs, stream: HiddenStream, statistics: readonly InputStatistic[]) {
    this.inputs = inputs;
    this.stream = stream;
    this.statistics = statistics;
  }

  /** @param operands what the statistics are for */
  static async open(inputs: CalibrationInputs, operands: readonly RowOperand[]): Promise<CalibrationStream> {
    const stream = await embed(inputs, inputs.calibration);
    return new CalibrationStream(inputs, stream, inputStatisticsFor(operands));
  }

  /** Program runs that carry the samples through one block. */
  get batches(): number {
    return this.stream.batches.length;
  }

  /**
   * Runs the samples through a block and collects the statistics.
   *
   * @param advance whether the samples move on to the next block; otherwise only their statistics are computed
   */
  async observe(
    layout: BlockLayout,
    block: Weights,
    advance: boolean,
    step: Step,
    detail: string,
  ): Promise<BlockStatistics> {
    const { programs } = this.inputs;
    const weights = programs.inputs(block);
    const linears = layout.parameters.filter((parameter) => parameter.linear);
    const found = new Map<string, InputStatistics>();
    for (const { name } of linears) found.set(observedInput(name), new InputStatistics());
    for (const batch of this.stream.batches) {
      const program = await programs.block(layout, batch.batch, advance, this.statistics);
      const spare = advance ? this.stream.spare(batch) : undefined;
      const outputs = await program.run({ ...weights, x: batch.x }, spare ? { y: spare } : {});
      for (const [name, statistics] of found) {
        for (const statistic of this.statistics) {
          const output = outputs[`${statistic}:${name}`]!;
          statistics.add(statistic, output.floats(), output.shape[1]!);
        }
        statistics.count(batch.batch, batch.ids[0]!.length);
      }
      if (advance) this.stream.replace(batch, outputs['y']!);
      await step(detail);
    }
    return new Map(linears.map(({ name }) => [name, found.get(observedInput(name))!]));
  }

  /** Moves the samples on through a block, pruned or not. */
  advance(layout: BlockLayout, block: Weights, step: Step, detail: string): Promise<void> {
    return this.stream.advance(layout, block, step, detail);
  }

  dispose(): void {
    this.stream.dispose();
  }
}
