import type { ForwardObserver } from '../gradient/modelBackward.ts';
import { type InputStatistic, observedInput } from '../models/blockGraph.ts';
import type { BlockLayout } from '../models/model.ts';
import { InputStatistics, inputStatisticsFor, type RowOperand } from '../pruning/inputStatistics.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Statistics of every linear layer's input in one block, by the layer's name. */
export type BlockStatistics = ReadonlyMap<string, InputStatistics>;

/** Adds up what one block's program reports of its linear layers' inputs, batch after batch. */
export class BlockStatisticsSum {
  /** By the name under which layers with one input report it. */
  private readonly found: ReadonlyMap<string, InputStatistics>;
  private readonly linears: readonly string[];
  private readonly statistics: readonly InputStatistic[];

  constructor({ parameters }: BlockLayout, statistics: readonly InputStatistic[]) {
    this.linears = parameters.filter(({ linear }) => linear).map(({ name }) => name);
    this.statistics = statistics;
    this.found = new Map(this.linears.map((name) => [observedInput(name), new InputStatistics()]));
  }

  /** Takes in the outputs of a block program that observes, on the host. */
  add(outputs: Readonly<Record<string, DeviceTensor>>, samples: number, tokens: number): void {
    for (const [name, sums] of this.found) {
      for (const statistic of this.statistics) {
        const output = outputs[`${statistic}:${name}`]!;
        sums.add(statistic, output.floats(), output.shape[1]!);
      }
      sums.count(samples, tokens);
    }
  }

  /** Whether there is nothing to look at: of such a block no linear layer is left. */
  get isEmpty(): boolean {
    return this.linears.length === 0;
  }

  get total(): BlockStatistics {
    return new Map(this.linears.map((name) => [name, this.found.get(observedInput(name))!]));
  }
}

/** Statistics of a whole model, taken from the forward pass of its gradients. */
export class ForwardStatistics implements ForwardObserver {
  readonly statistics: readonly InputStatistic[];
  private readonly sums: readonly BlockStatisticsSum[];

  /** @param operands what the statistics are for */
  constructor(layouts: readonly BlockLayout[], operands: readonly RowOperand[]) {
    this.statistics = inputStatisticsFor(operands);
    this.sums = layouts.map((layout) => new BlockStatisticsSum(layout, this.statistics));
  }

  onForward: ForwardObserver['onForward'] = (index, { batch, ids }, outputs) => {
    this.sums[index]!.add(outputs, batch, ids[0]!.length);
  };

  get blocks(): readonly BlockStatistics[] {
    return this.sums.map(({ total }) => total);
  }
}
