import { correlationMatrix } from '../../src/search/correlation.ts';
import type { Candidate } from '../../src/experiment/searchEvents.ts';

export interface Correlations {
  /** Inclusive generations. */
  readonly spans: readonly { readonly first: number; readonly last: number }[];
  readonly rows: readonly CorrelationRow[];
}

export interface CorrelationRow {
  readonly name: string;
  readonly count: number;
  /** Undefined where there is too little to tell from. */
  readonly overall: number | undefined;
  readonly spans: readonly (number | undefined)[];
}

const SPANS = 4;
/** Fewer candidates, or fewer that have the name, give a number by chance. */
const FEWEST = 8;
const FEWEST_WITH = 3;

/** Over all generations and over each quarter of them, what helps most first. */
export function correlate(candidates: readonly Candidate[]): Correlations {
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
  const valueIn = (matrix: typeof all, name: string): number | undefined => {
    const i = matrix.symbols.indexOf(name);
    const isEnough = i >= 0 && matrix.candidates >= FEWEST && matrix.occurrences[i]! >= FEWEST_WITH;
    return isEnough ? (matrix.withPerplexity[i] ?? undefined) : undefined;
  };
  const rows = all.symbols.map((name, i): CorrelationRow => ({
    name,
    count: all.occurrences[i]!,
    overall: valueIn(all, name),
    spans: inSpans.map((matrix) => valueIn(matrix, name)),
  }));
  return { spans, rows: rows.sort((a, b) => (a.overall ?? 2) - (b.overall ?? 2)) };
}
