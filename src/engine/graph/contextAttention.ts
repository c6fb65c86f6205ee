import { stripSize } from './attentionStrips.ts';
import { capped } from './cappedScores.ts';
import type { CausalInputs, CausalShape } from './causalAttention.ts';
import type { ElementType } from './elementType.ts';
import type { Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';

/** Keys are those of the past, and those of the tokens themselves behind them. */
export interface AttentionContext {
  /** [batch, tokens, keys]: 0 where a token sees a key, else {@link HIDDEN}. Of the tokens' own keys those behind a token are hidden from it anyway. */
  readonly mask: Value;
  /** Keys, turned, and values of earlier tokens [batch, kvHeads, past, dim]. */
  readonly past?: { readonly keys: Value; readonly values: Value } | undefined;
  /** ALiBi at the positions of the tokens [batch, heads, tokens] and of the keys [batch, heads, keys]: scores get the difference. */
  readonly added?: { readonly queries: Value; readonly keys: Value } | undefined;
}

export interface ContextShape extends Pick<CausalShape, 'scale' | 'cap' | 'strip'> {
  readonly kvHeads: number;
}

/** Attention to what the context shows of the past and of the tokens up to themselves → [units, tokens · share, dim], in strips of queries. */
export function writeInContext(
  graph: GraphBuilder,
  { queries, keys, values }: CausalInputs,
  context: AttentionContext,
  { kvHeads, scale, cap, strip }: ContextShape,
): Value {
  const [units, tokens, dim] = keys.shape as [number, number, number];
  const share = queries.shape[1]! / tokens;
  const past = context.past?.keys.shape[2] ?? 0;
  const earlier = context.past && {
    keys: graph.reshape(context.past.keys, [units, past, dim]),
    values: graph.reshape(context.past.values, [units, past, dim]),
  };
  // Scores and sums of the past are put to those of the tokens: to put its keys and values before theirs would copy all of them for each token.
  const heardOf = (query: Value, last: number): Value => {
    const products = (of: Value): Value => graph.matMul(query, of, { transposeB: true, scale });
    const own = products(graph.slice(keys, 1, 0, last));
    return earlier ? graph.concat([products(earlier.keys), own], 2) : own;
  };
  const mixedBy = (weights: Value, last: number): Value => {
    const own = graph.slice(values, 1, 0, last);
    if (!earlier) return graph.matMul(weights, own);
    const ofPast = graph.matMul(graph.slice(weights, 2, 0, past), earlier.values);
    return graph.add(ofPast, graph.matMul(graph.slice(weights, 2, past, past + last), own));
  };

  const { rows } = strip ?? stripSize(units, tokens, share);
  const strips = Array.from({ length: Math.ceil(tokens / rows) }, (_, i) => {
    const [begin, last] = [i * rows, Math.min((i + 1) * rows, tokens)];
    const end = past + last;
    const heard = capped(graph, heardOf(graph.slice(queries, 1, begin * share, last * share), last), cap);
    const shown = graph.slice(graph.slice(context.mask, 1, begin, last), 2, 0, end);
    const byGroup = graph.reshape(heard, [units / kvHeads, kvHeads, last - begin, share, end]);
    const seen = graph.add(byGroup, graph.reshape(shown, [units / kvHeads, 1, last - begin, 1, end]));
    const placed = context.added
      ? graph.add(seen, differences(graph, context.added, { kvHeads, begin, last, end }, heard.type))
      : seen;
    return mixedBy(graph.softmax(graph.reshape(placed, heard.shape)), last);
  });
  return graph.concat(strips, 1);
}

/** What ALiBi says of keys less what it says of queries [batch, kvHeads, rows, share, columns]: of those near each other few digits, which are all there. */
function differences(
  graph: GraphBuilder,
  { queries, keys }: NonNullable<AttentionContext['added']>,
  { kvHeads, begin, last, end }: { kvHeads: number; begin: number; last: number; end: number },
  type: ElementType,
): Value {
  const [batch, heads] = queries.shape as [number, number];
  const share = heads / kvHeads;
  const ofKeys = graph.reshape(graph.slice(keys, 2, 0, end), [batch, kvHeads, 1, share, end]);
  const byHead = graph.reshape(graph.slice(queries, 2, begin, last), [batch, kvHeads, share, last - begin, 1]);
  const ofQueries = graph.transpose(byHead, [0, 1, 3, 2, 4]);
  return graph.cast(graph.sub(ofKeys, ofQueries), type);
}
