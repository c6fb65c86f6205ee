import type { ForwardObserver } from '../gradient/modelBackward.ts';
import type { InputStatistic } from '../models/blockGraph.ts';
import type { BlockLayout } from '../families/family.ts';
import { InputStatistics, inputStatisticsFor, type RowOperand } from '../pruning/inputStatistics.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Statistics of every linear layer's input in one block, by the layer's name. */
export type BlockStatistics = ReadonlyMap<string, InputStatistics>;

/** Adds up what one block's program reports of its linear layers' inputs, batch after batch. */
export class BlockStatisticsSum {
  /** By the name of the input. */
  private readonly found: ReadonlyMap<string, InputStatistics>;
  private readonly linears: readonly { readonly name: string; readonly input: string }[];
  private readonly statistics: readonly InputStatistic[];

  constructor({ parameters }: BlockLayout, statistics: readonly InputStatistic[]) {
    this.linears = parameters.flatMap(({ name, linear, input = name }) => (linear ? [{ name, input }] : []));
    this.statistics = statistics;
    this.found = new Map(this.linears.map(({ input }) => [input, new InputStatistics()]));
  }

  /** Takes in the outputs of a block program that observes, on the host. */
  add(outputs: Readonly<Record<string, DeviceTensor>>, samples: number, tokens: number): void {
    for (const [name, sums] of this.found) {
      for (const statistic of this.statistics) {
        const output = outputs[`${statistic}:${name}`]!;
        sums.add(statistic, output.floats(), output.shape[1]!);
      }
      // Only the layers of an expert see some of the tokens.
      sums.count(outputs[`tokens:${name}`]?.floats() ?? Array<number>(samples).fill(tokens));
    }
  }

  /** Whether there is nothing to look at: of such a block no linear layer is left. */
  get isEmpty(): boolean {
    return this.linears.length === 0;
  }

  get total(): BlockStatistics {
    return new Map(this.linears.map(({ name, input }) => [name, this.found.get(input)!]));
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
