import type { Matrix } from './matrix.ts';

/** What the calibration tokens tell about each input feature of one linear layer. */
export interface InputStatistics {
  readonly tokens: { count: number };
  /** Calibration samples that have such tokens. */
  readonly samples: { count: number };
  readonly sumOfSquares: Float64Array;
  readonly sumOfAbsolutes: Float64Array;
  readonly maximumAbsolute: Float64Array;
  readonly sum: Float64Array;
}

export function emptyStatistics(features: number): InputStatistics {
  return {
    tokens: { count: 0 },
    samples: { count: 0 },
    sumOfSquares: new Float64Array(features),
    sumOfAbsolutes: new Float64Array(features),
    maximumAbsolute: new Float64Array(features),
    sum: new Float64Array(features),
  };
}

/** Adds the tokens of one sample, `input` [T, in], to `statistics`. */
export function accumulate(statistics: InputStatistics, input: Matrix): void {
  statistics.tokens.count += input.rows;
  statistics.samples.count++;
  input.values.forEach((value, at) => {
    const j = at % input.columns;
    statistics.sumOfSquares[j]! += value * value;
    statistics.sumOfAbsolutes[j]! += Math.abs(value);
    statistics.maximumAbsolute[j] = Math.max(statistics.maximumAbsolute[j]!, Math.abs(value));
    statistics.sum[j]! += value;
  });
}

/** The operands [1, in] that a metric may name, from what was seen of the inputs: see src/metric/operands.ts. */
export function inputOperands(statistics: InputStatistics): Readonly<Record<string, Matrix>> {
  const { tokens, samples, sum, sumOfSquares, sumOfAbsolutes, maximumAbsolute } = statistics;
  const mean = sum.map((total) => total / tokens.count);
  return {
    X: vector(sumOfSquares.map((total) => total / samples.count)),
    Xabs: vector(sumOfAbsolutes.map((total) => total / tokens.count)),
    Xmax: vector(maximumAbsolute),
    Xmean: vector(mean),
    Xvar: vector(sumOfSquares.map((total, j) => total / tokens.count - mean[j]! ** 2)),
  };
}

function vector(values: Float64Array): Matrix {
  return { rows: 1, columns: values.length, values };
}
