import type { Candidate } from '../../src/experiment/searchEvents.ts';

/** How often an operation or operand occurs, against perplexity. */
export interface CorrelationRow {
  readonly name: string;
  /** Candidates with a perplexity of their own in which it occurs. */
  readonly count: number;
  /** Rank correlation over all of them, −1 to 1; undefined where it says nothing. Negative: where it occurs more, perplexity is lower. */
  readonly overall: number | undefined;
  /** The same within each span of generations. */
  readonly spans: readonly (number | undefined)[];
}

export interface CorrelationTable {
  /** Inclusive generations. */
  readonly spans: readonly { readonly first: number; readonly last: number }[];
  readonly rows: readonly CorrelationRow[];
}

/** Fewer candidates, or fewer in which a name occurs, give a number by chance. */
const FEWEST = 8;
const FEWEST_WITH = 3;
const SPANS = 4;

/**
 * Spearman's rank correlation of each primitive's count in a tree with the tree's perplexity: ranks, since a few terrible
 * candidates would decide a correlation of the values. Candidates that share another's evaluation are left out, so that no
 * evaluation counts twice.
 *
 * @param names operations and operands of the search
 */
export function correlate(candidates: readonly Candidate[], names: readonly string[]): CorrelationTable {
  const own = candidates.filter(({ outcome }) => outcome.kind === 'full' || outcome.kind === 'stopped');
  const uses = own.map(({ expression }) => countNames(expression));
  const last = own.at(-1)?.generation ?? 0;
  const length = Math.max(1, Math.ceil((last + 1) / SPANS));
  const spans = Array.from({ length: last === 0 ? 0 : Math.ceil((last + 1) / length) }, (_, i) => ({
    first: i * length,
    last: Math.min(last, (i + 1) * length - 1),
  }));
  const everything = own.map((_, i) => i);
  const members = spans.map((span) =>
    everything.filter((i) => own[i]!.generation >= span.first && own[i]!.generation <= span.last),
  );
  const perplexities = own.map(({ outcome }) => (outcome.kind === 'invalid' ? Infinity : outcome.perplexity));
  const rankedAll = ranks(perplexities);
  const rankedSpans = members.map((indices) => ranks(indices.map((i) => perplexities[i]!)));
  const rows = names.map((name): CorrelationRow => {
    const counts = uses.map((use) => use.get(name) ?? 0);
    return {
      name,
      count: counts.filter((count) => count > 0).length,
      overall: rankCorrelation(counts, rankedAll),
      spans: members.map((indices, s) =>
        rankCorrelation(
          indices.map((i) => counts[i]!),
          rankedSpans[s]!,
        ),
      ),
    };
  });
  return { spans, rows: rows.sort((a, b) => (a.overall ?? 2) - (b.overall ?? 2)) };
}

/** Names of an expression in prefix form, with how often each occurs. */
export function countNames(expression: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [name] of expression.matchAll(/[A-Za-z]\w*/g)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** @param rankedPerplexities ranks of the second variable, in the order of `counts` */
function rankCorrelation(counts: readonly number[], rankedPerplexities: readonly number[]): number | undefined {
  const present = counts.filter((count) => count > 0).length;
  if (counts.length < FEWEST || present < FEWEST_WITH) return undefined;
  return pearson(ranks(counts), rankedPerplexities);
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length);
  for (let begin = 0; begin < order.length;) {
    let end = begin + 1;
    while (end < order.length && values[order[end]!] === values[order[begin]!]) end++;
    for (let i = begin; i < end; i++) result[order[i]!] = (begin + end - 1) / 2;
    begin = end;
  }
  return result;
}

function pearson(a: readonly number[], b: readonly number[]): number | undefined {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    both += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA > 0 && squareB > 0 ? both / Math.sqrt(squareA * squareB) : undefined;
}
