import { correlationMatrix } from '../../../src/search/metrics/correlation.ts';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';

export interface Correlations {
  /** Inclusive generations. */
  readonly spans: readonly { readonly first: number; readonly last: number }[];
  readonly rows: readonly CorrelationRow[];
}

export interface CorrelationRow {
  readonly name: string;
  readonly count: number;
  /** Undefined where there is too little to tell from. */
  readonly overall: Correlation | undefined;
  readonly spans: readonly (Correlation | undefined)[];
}

/** A correlation with the interval that it lies in with 95 % confidence, each −1 to 1. */
export interface Correlation {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Candidates that it rests on. */
  readonly from: number;
}

const SPANS = 4;
/** Fewer candidates, or fewer that have the name, give a number by chance. */
const FEWEST = 8;
const FEWEST_WITH = 3;

/** Over all generations and over each quarter of them, what helps most first. */
export function correlate(candidates: readonly MetricCandidate[]): Correlations {
  const last = candidates.at(-1)?.generation ?? 0;
  const length = Math.ceil((last + 1) / SPANS);
  const spans = Array.from({ length: Math.ceil((last + 1) / length) }, (_, i) => ({
    first: i * length,
    last: Math.min(last, (i + 1) * length - 1),
  }));
  const all = correlationMatrix(candidates);
  const inSpans = spans.map(({ first, last: end }) =>
    correlationMatrix(candidates.filter(({ generation }) => generation >= first && generation <= end)),
  );
  const valueIn = (matrix: typeof all, name: string): Correlation | undefined => {
    const i = matrix.symbols.indexOf(name);
    const isEnough = i >= 0 && matrix.candidates >= FEWEST && matrix.occurrences[i]! >= FEWEST_WITH;
    const value = isEnough ? matrix.withLoss[i] : undefined;
    return value === undefined || value === null ? undefined : correlationOf(value, matrix.exceptions[i]!);
  };
  const rows = all.symbols.map((name, i): CorrelationRow => ({
    name,
    count: all.occurrences[i]!,
    overall: valueIn(all, name),
    spans: inSpans.map((matrix) => valueIn(matrix, name)),
  }));
  return { spans, rows: rows.sort((a, b) => (a.overall?.value ?? 2) - (b.overall?.value ?? 2)) };
}

/** By Fisher's transformation. Those that all have a name equally often say nothing about it, so that only the exceptions count. */
function correlationOf(value: number, from: number): Correlation {
  const half = from > 3 ? 1.96 / Math.sqrt(from - 3) : Infinity;
  // Of a perfect correlation too: its transform is infinite.
  const middle = Math.atanh(Math.max(-0.9999, Math.min(0.9999, value)));
  return { value, low: Math.tanh(middle - half), high: Math.tanh(middle + half), from };
}

/** As much of it as is certain: the end of the interval that is nearer to 0, and 0 where it could be either way. */
export function certainPart({ low, high }: Correlation): number {
  return low > 0 ? low : Math.min(0, high);
}
