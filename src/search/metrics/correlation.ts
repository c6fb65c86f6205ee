import type { MetricCandidate } from './events.ts';
import { lossOf } from '../lifecycle/outcome.ts';

/** How the numbers of times that operations and operands occur go with the loss, and with each other. */
export interface CorrelationMatrix {
  /** Operations and operands that occur, the most frequent first. */
  readonly symbols: readonly string[];
  /** In how many of the candidates each occurs. */
  readonly occurrences: readonly number[];
  /** How many have it another number of times than most do: the few, or the many, that its correlations rest on. */
  readonly exceptions: readonly number[];
  /** Pearson's r of each symbol's count with the loss (of a perplexity its log), −1 to 1 (below 0: it helps); null where either is constant. */
  readonly withLoss: readonly (number | null)[];
  /** Pearson's r of each two symbols' counts, in the order of `symbols`; null where either is constant. */
  readonly withEachOther: readonly (readonly (number | null)[])[];
  /** Valid candidates that this is over. */
  readonly candidates: number;
}

export function correlationMatrix(candidates: readonly MetricCandidate[]): CorrelationMatrix {
  const valid = candidates.filter((candidate) => lossOf(candidate) !== undefined);
  const counts = new Map<string, Float64Array>();
  valid.forEach(({ expression }, i) => {
    for (const symbol of expression.split(/[(), ]+/)) {
      // Numbers, and what is left over at the end, come before the letters.
      if (symbol < 'A') continue;
      let column = counts.get(symbol);
      if (column === undefined) counts.set(symbol, (column = new Float64Array(valid.length)));
      column[i]!++;
    }
  });
  const columns = [...counts]
    .map(([symbol, values]) => ({ symbol, occurs: values.filter((count) => count > 0).length, values }))
    .sort((a, b) => b.occurs - a.occurs || (a.symbol < b.symbol ? -1 : 1));
  const unit = columns.map(({ values }) => standardised(values));
  const loss = standardised(Float64Array.from(valid, (one) => lossOf(one)!));
  return {
    symbols: columns.map(({ symbol }) => symbol),
    occurrences: columns.map(({ occurs }) => occurs),
    exceptions: columns.map(({ values }) => values.length - mostFrequent(values)),
    withLoss: unit.map((column) => product(column, loss)),
    withEachOther: unit.map((a) => unit.map((b) => product(a, b))),
    candidates: valid.length,
  };
}

/** How often the most frequent value occurs. */
function mostFrequent(values: Float64Array): number {
  const times = new Map<number, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return Math.max(0, ...times.values());
}

/** Less the mean, and of length 1; undefined where all values are the same. */
function standardised(values: Float64Array): Float64Array | undefined {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centred = values.map((value) => value - mean);
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  return length > 1e-12 * (1 + Math.abs(mean)) ? centred.map((value) => value / length) : undefined;
}

function product(a: Float64Array | undefined, b: Float64Array | undefined): number | null {
  if (a === undefined || b === undefined) return null;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.max(-1, Math.min(1, sum));
}
