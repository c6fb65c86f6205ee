import { inputOf, type Sequence } from './sequence.ts';

/** Sequences that share a row, by their places in the list. */
export interface RowPlan {
  /** Tokens of the row, with what is left free. */
  readonly length: number;
  /** In lexicographic order of their tokens. */
  readonly sequences: readonly number[];
}

/** Tokens of a row where its sequences are no longer: longer ones spend more on attention, shorter ones leave more of them free. */
const ROW = 256;

/** Tokens of a row up to which what has much in common stays together. */
const TOGETHER = 512;

/** Rows that may still take something: more find better places, and take longer to look through. */
const OPEN = 512;

/**
 * Plans rows of few lengths that hold all sequences, what sequences of a row have in common at their beginning once. Those with much in common
 * (the choices of a document, documents behind the same examples) are put together; then the largest find a place first, each where it
 * adds the fewest tokens (first fit by decreasing sizes, with a bound on the rows that are looked at).
 *
 * The plan depends on the sequences alone.
 */
export function packSequences(sequences: readonly Sequence[]): readonly RowPlan[] {
  const inputs = sequences.map(inputOf);
  const order = [...inputs.keys()].sort((a, b) => compare(inputs[a]!, inputs[b]!) || a - b);
  const bundles = bundle(order, inputs).sort((a, b) => b.tokens - a.tokens);
  const rows: OpenRow[] = [];
  let open: OpenRow[] = [];
  for (const each of bundles) {
    let best: { readonly row: OpenRow; readonly added: number } | undefined;
    for (const row of open) {
      const added = each.tokens - commonWith(row, each, inputs);
      if (row.used + added <= row.length && (!best || added < best.added)) best = { row, added };
    }
    if (!best) {
      best = { row: { length: rowLength(each.tokens), used: 0, bundles: [] }, added: each.tokens };
      rows.push(best.row);
      open = [...open.slice(1 - OPEN), best.row];
    }
    best.row.used += best.added;
    best.row.bundles.push(each);
  }
  return rows.map(({ used, bundles: held }) => ({
    length: rowLength(used, 1),
    sequences: held.flatMap((each) => each.sequences).sort((a, b) => compare(inputs[a]!, inputs[b]!) || a - b),
  }));
}

/** Tokens that two sequences begin with alike. */
export function commonLength(a: Int32Array, b: Int32Array): number {
  const most = Math.min(a.length, b.length);
  let count = 0;
  while (count < most && a[count] === b[count]) count++;
  return count;
}

/** Sequences with much in common, next to each other in lexicographic order. */
interface Bundle {
  readonly sequences: number[];
  /** What they have in common counted once. */
  tokens: number;
}

interface OpenRow {
  readonly length: number;
  used: number;
  readonly bundles: Bundle[];
}

/** A sequence joins those before it where a quarter of it is theirs, too, as long as the row is not much longer for it. */
function bundle(order: readonly number[], inputs: readonly Int32Array[]): Bundle[] {
  const bundles: Bundle[] = [];
  for (const index of order) {
    const input = inputs[index]!;
    const last = bundles.at(-1);
    const common = last ? commonLength(inputs[last.sequences.at(-1)!]!, input) : 0;
    const tokens = (last?.tokens ?? 0) + input.length - common;
    if (last && 4 * common >= input.length && tokens <= Math.max(TOGETHER, rowLength(input.length))) {
      last.sequences.push(index);
      last.tokens = tokens;
    } else bundles.push({ sequences: [index], tokens: input.length });
  }
  return bundles;
}

/** Tokens that a bundle's first sequence begins with as one of the row does. */
function commonWith(row: OpenRow, { sequences }: Bundle, inputs: readonly Int32Array[]): number {
  const input = inputs[sequences[0]!]!;
  // What all of a bundle begin with is what another can share with all of it; two bundles of a row share it once.
  return row.bundles.reduce((most, other) => Math.max(most, commonLength(inputs[other.sequences[0]!]!, input)), 0);
}

/** The shortest length of rows that has room: 64, 128, 192, 256, 384, 512, 768, 1024, … */
function rowLength(tokens: number, least = ROW): number {
  const wanted = Math.max(tokens, least);
  let step = 64;
  while (4 * step < wanted) step *= 2;
  return Math.ceil(wanted / step) * step;
}

function compare(a: Int32Array, b: Int32Array): number {
  const common = commonLength(a, b);
  return common < a.length && common < b.length ? a[common]! - b[common]! : a.length - b.length;
}
