import { type OperandName, OPERANDS } from '../../metric/operands.ts';
import type { InputStatistic } from '../models/blockGraph.ts';

/**
 * Running statistics of one linear layer's input over the calibration samples. Sums are kept in float64: thousands of tokens are
 * added, and one large feature must not hide the others.
 */
export class InputStatistics {
  samples = 0;
  tokens = 0;
  private readonly totals = new Map<InputStatistic, Float64Array>();

  /** Takes in one statistic of a batch: data [batch, in], already reduced over the tokens of each sample. */
  add(statistic: InputStatistic, data: Float32Array, columns: number): void {
    let total = this.totals.get(statistic);
    if (!total) {
      total = new Float64Array(columns);
      this.totals.set(statistic, total);
    }
    const largest = statistic === 'maximum-absolute';
    for (let begin = 0; begin < data.length; begin += columns) {
      for (let column = 0; column < columns; column++) {
        const value = data[begin + column]!;
        if (!largest) total[column]! += value;
        else if (!(value <= total[column]!)) total[column] = value;
      }
    }
  }

  /**
   * Counts what {@link add} was given the statistics of.
   *
   * @param tokens of each sample that the layer has seen. A sample without any is none of the layer's: Wanda's code counts the calls of a
   *   layer, and an expert is called for samples with tokens of its own.
   */
  count(tokens: Iterable<number>): void {
    for (const count of tokens) {
      if (count > 0) this.samples++;
      this.tokens += count;
    }
  }

  /** Operand values [1, in] of an operand that is one row. */
  row(operand: RowOperand): Float32Array {
    return Float32Array.from(ROWS[operand](this));
  }

  /** The totals of a statistic that was collected, [in]. */
  total(statistic: InputStatistic): Float64Array {
    const total = this.totals.get(statistic);
    if (!total) throw new RangeError(`the statistic ${statistic} was not collected`);
    return total;
  }
}

/** Operands whose values are one row: functions of a layer's input alone. */
export type RowOperand = {
  [Name in OperandName]: (typeof OPERANDS)[Name]['shape'] extends 'row' ? Name : never;
}[OperandName];

/** Statistics that the forward passes over the calibration samples must report for these operands. */
export function inputStatisticsFor(operands: readonly OperandName[]): InputStatistic[] {
  const needs = new Set(operands.flatMap((name) => OPERANDS[name].needs as readonly string[]));
  return INPUT_STATISTICS.filter((statistic) => needs.has(statistic));
}

export function isRowOperand(name: OperandName): name is RowOperand {
  return OPERANDS[name].shape === 'row';
}

const INPUT_STATISTICS: readonly InputStatistic[] = ['sum-of-squares', 'sum-of-absolutes', 'maximum-absolute', 'sum'];

/** The formulas of the operand table; of a layer that has seen nothing all are 0. */
const ROWS: Readonly<Record<RowOperand, (statistics: InputStatistics) => Float64Array>> = {
  X: (s) => s.total('sum-of-squares').map((total) => total / (s.samples || 1)),
  Xabs: (s) => s.total('sum-of-absolutes').map((total) => total / (s.tokens || 1)),
  Xmax: (s) => s.total('maximum-absolute'),
  Xmean: (s) => s.total('sum').map((total) => total / (s.tokens || 1)),
  Xvar(s) {
    const sums = s.total('sum');
    return s.total('sum-of-squares').map((squares, j) => squares / (s.tokens || 1) - (sums[j]! / (s.tokens || 1)) ** 2);
  },
};
