import type { ElementType } from './elementType.ts';
import type { Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';

export interface AttentionInputs {
  /** [batch, tokens, heads · dim] */
  readonly query: Value;
  /** [batch, tokens, kvHeads · dim] */
  readonly key: Value;
  readonly value: Value;
  /** Cosines and sines [tokens, pairs], or [batch · tokens, pairs], where positions are rotary: of the first 2 · pairs features of each head. */
  readonly rotary: { readonly cosines: Value; readonly sines: Value; readonly interleaved?: boolean } | undefined;
  /** What tokens see, where that is not all tokens up to themselves. */
  readonly context?: AttentionContext | undefined;
}

/** Keys are those of the past, and those of the tokens themselves behind them. */
export interface AttentionContext {
  /** [batch, tokens, keys]: 0 where a token sees a key, else {@link HIDDEN}. Of the tokens' own keys those behind a token are hidden from it anyway. */
  readonly mask: Value;
  /** Keys, turned, and values of earlier tokens [batch, kvHeads, past, dim]. */
  readonly past?: { readonly keys: Value; readonly values: Value } | undefined;
  /** ALiBi at the positions of the tokens [batch, heads, tokens] and of the keys [batch, heads, keys]: scores get the difference. */
  readonly added?: { readonly queries: Value; readonly keys: Value } | undefined;
}

/** Leaves nothing of a score after the softmax, in float16 too. */
export const HIDDEN = -60_000;

export interface Attended {
  /** [batch, tokens, heads · dim] */
  readonly mixed: Value;
  /** Of the tokens, without the past, as later ones need them [batch, kvHeads, tokens, dim]. */
  readonly keys: Value;
  readonly values: Value;
}

export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  /** A token sees itself and the window − 1 tokens before it. */
  readonly window: number | undefined;
  /** Queries that are worked off together; about an eighth of the tokens where it is not given. */
  readonly chunk?: number;
  /** Factor of the products; 1/sqrt(dim) where it is not given. */
  readonly scale?: number | undefined;
  /** What is added to the scores of each head, [heads][tokens] by the key's position (ALiBi). */
  readonly added?: readonly (readonly number[])[] | undefined;
  /** Scores are cap · tanh(score / cap), where there is a cap. */
  readonly cap?: number | undefined;
}

/**
 * Causal self-attention, or over the context that comes in. In chunks of queries, each against the keys
 * that it may see: about half of the products of the full square, and scores of one chunk are all that is ever held. Query heads
 * that share a key-value head are one matrix. The gradient follows from the parts and is chunked alike.
 *
 * ONNX Runtime's fused GroupQueryAttention is not used: on the CPU it took 1.6 times as long (8 heads of 32, 256 tokens), its flash
 * kernel for WebGPU was off by 5 % on a software device, and it has no gradient.
 */
export function writeAttention(graph: GraphBuilder, inputs: AttentionInputs, shape: AttentionShape): Attended {
  const { heads, kvHeads, chunk, cap, added } = shape;
  const { context } = inputs;
  const [batch, tokens, width] = inputs.query.shape as [number, number, number];
  const dim = width / heads;
  const share = heads / kvHeads;
  const { scale = 1 / Math.sqrt(dim) } = shape;
  const rotate = (x: Value, count: number): Value =>
    inputs.rotary ? writeRotation(graph, x, inputs.rotary, count) : x;
  const perHead = (x: Value): Value => graph.transpose(graph.reshape(x, [batch, tokens, kvHeads, dim]), [0, 2, 1, 3]);

  const grouped = graph.reshape(rotate(inputs.query, heads), [batch, tokens, kvHeads, share, dim]);
  const queries = graph.transpose(grouped, [0, 2, 3, 1, 4]); // [batch, kv, share, tokens, dim]
  const keys = perHead(rotate(inputs.key, kvHeads)); // [batch, kv, tokens, dim]
  const values = perHead(inputs.value);
  const earlier = context?.past;
  const past = earlier?.keys.shape[2] ?? 0;
  // Scores and sums of the past are put to those of the tokens: to put its keys and values before theirs would copy all of them for each token.
  const heardOf = (query: Value, first: number, last: number): Value => {
    const products = (of: Value): Value => graph.matMul(query, of, { transposeB: true, scale });
    const own = products(graph.slice(keys, 2, first, last));
    return earlier ? graph.concat([products(earlier.keys), own], 3) : own;
  };
  const mixedBy = (weights: Value, first: number, last: number): Value => {
    const own = graph.slice(values, 2, first, last);
    if (!earlier) return graph.matMul(weights, own);
    const ofPast = graph.matMul(graph.slice(weights, 3, 0, past), earlier.values);
    return graph.add(ofPast, graph.matMul(graph.slice(weights, 3, past, past + last), own));
  };

  // Windows that a context has are in its mask: tokens next to each other need not stand next to each other in the text.
  const window = context ? undefined : shape.window;
  const chunks = queryChunks(tokens, window, chunk).map(({ begin, end: last, first }) => {
    const end = past + last;
    const [rows, columns] = [last - begin, end - first];
    const query = graph.reshape(graph.slice(queries, 3, begin, last), [batch, kvHeads, share * rows, dim]);
    const products = capped(graph, heardOf(query, first, last), cap);
    const heard = graph.reshape(products, [batch, kvHeads, share, rows, columns]);
    const part = (x: Value): Value => graph.slice(graph.slice(x, 1, begin, last), 2, first, end);
    const mask = context
      ? graph.reshape(part(context.mask), [batch, 1, 1, rows, columns])
      : graph.constant(causalMask(begin, end, first, window), [rows, columns], products.type);
    const scores = graph.add(heard, mask);
    const placed = added
      ? graph.add(scores, graph.constant(additions(added, first, end), [kvHeads, share, 1, columns], products.type))
      : context?.added
        ? graph.add(scores, differences(graph, context.added, { kvHeads, begin, last, end }, products.type))
        : scores;
    const weights = graph.reshape(graph.softmax(placed), [batch, kvHeads, share * rows, columns]);
    const mixed = mixedBy(weights, first, last);
    return graph.reshape(mixed, [batch, kvHeads, share, rows, dim]);
  });
  const byToken = graph.transpose(graph.concat(chunks, 3), [0, 3, 1, 2, 4]);
  return { mixed: graph.reshape(byToken, [batch, tokens, width]), keys, values };
}

/** What ALiBi says of keys less what it says of queries [batch, kvHeads, share, rows, columns]: of those near each other few digits, which are all there. */
function differences(
  graph: GraphBuilder,
  { queries, keys }: NonNullable<AttentionContext['added']>,
  { kvHeads, begin, last, end }: { kvHeads: number; begin: number; last: number; end: number },
  type: ElementType,
): Value {
  const [batch, heads] = queries.shape as [number, number];
  const share = heads / kvHeads;
  const ofKeys = graph.reshape(graph.slice(keys, 2, 0, end), [batch, kvHeads, share, 1, end]);
  const ofQueries = graph.reshape(graph.slice(queries, 2, begin, last), [batch, kvHeads, share, last - begin, 1]);
  return graph.cast(graph.sub(ofKeys, ofQueries), type);
}

function capped(graph: GraphBuilder, x: Value, cap: number | undefined): Value {
  if (cap === undefined) return x;
  const inverse = graph.scalar(1 / cap, x.type);
  return graph.mul(graph.tanh(graph.mul(x, inverse)), graph.scalar(cap, x.type));
}

/** Turns the first features of each head, and leaves the others: x [batch, tokens, heads · dim] → like x. */
function writeRotation(
  graph: GraphBuilder,
  x: Value,
  { cosines, sines, interleaved }: NonNullable<AttentionInputs['rotary']>,
  heads: number,
): Value {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const [rows, pairs] = cosines.shape as [number, number];
  const [dim, turned] = [width / heads, 2 * pairs];
  const turn = (features: Value, count: number): Value => {
    const byTable = graph.reshape(features, [(batch * tokens) / rows, rows, heads * count]);
    return graph.rotate(byTable, cosines, sines, heads, interleaved);
  };
  if (turned === dim) return graph.reshape(turn(x, dim), x.shape);
  const whole = graph.reshape(x, [batch, tokens, heads, dim]);
  const rotated = graph.reshape(turn(graph.slice(whole, 3, 0, turned), turned), [batch, tokens, heads, turned]);
  return graph.reshape(graph.concat([rotated, graph.slice(whole, 3, turned, dim)], 3), x.shape);
}

interface QueryChunk {
  /** Queries `begin … end − 1` see keys `first … end − 1` at most. */
  readonly begin: number;
  readonly end: number;
  readonly first: number;
}

function queryChunks(tokens: number, window = tokens, size = chunkSize(tokens)): QueryChunk[] {
  return Array.from({ length: Math.ceil(tokens / size) }, (_, i) => {
    const begin = i * size;
    return { begin, end: Math.min(begin + size, tokens), first: Math.max(0, begin - window + 1) };
  });
}

/** About eight chunks: finer ones save few products more and cost a run of small operators each. */
function chunkSize(tokens: number): number {
  return Math.min(Math.max(64, Math.ceil(tokens / 8)), 256);
}

/**
 * Of each head those of the keys `first … end − 1`, less that of the last: softmax does not see it, and what is added near the queries is small
 * then, where float32 has its digits.
 */
function additions(added: readonly (readonly number[])[], first: number, end: number): number[] {
  return added.flatMap((head) => head.slice(first, end).map((value) => value - head[end - 1]!));
}

/** 0 where a query sees a key, else {@link HIDDEN}. */
function causalMask(begin: number, end: number, first: number, window = Infinity): number[] {
  const mask: number[] = [];
  for (let query = begin; query < end; query++) {
    for (let key = first; key < end; key++) mask.push(key <= query && key > query - window ? 0 : HIDDEN);
  }
  return mask;
}
