import type { StripSize } from './attentionStrips.ts';
import { type CausalShape, writeCausal } from './causalAttention.ts';
import { type AttentionContext, writeInContext } from './contextAttention.ts';
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
  /** Of what is worked off together, there and back; where it is not given it follows from the other sizes. */
  readonly strip?: StripSize;
  /** Factor of the products; 1/sqrt(dim) where it is not given. */
  readonly scale?: number | undefined;
  /** What is added to the scores of each head, [heads][tokens] by the key's position (ALiBi). */
  readonly added?: readonly (readonly number[])[] | undefined;
  /** Scores are cap · tanh(score / cap), where there is a cap. */
  readonly cap?: number | undefined;
}

/**
 * Causal self-attention, or over the context that comes in. Query heads that share a key-value head are one matrix.
 *
 * ONNX Runtime's fused GroupQueryAttention is not used: on the CPU it took 1.6 times as long (8 heads of 32, 256 tokens), its flash
 * kernel for WebGPU was off by 5 % on a software device, and it has no gradient.
 */
export function writeAttention(graph: GraphBuilder, inputs: AttentionInputs, shape: AttentionShape): Attended {
  const { heads, kvHeads, window, strip, cap, added } = shape;
  const { context } = inputs;
  const [batch, tokens, width] = inputs.query.shape as [number, number, number];
  const dim = width / heads;
  const share = heads / kvHeads;
  const { scale = 1 / Math.sqrt(dim) } = shape;
  const units = batch * kvHeads;
  const rotate = (x: Value, count: number): Value =>
    inputs.rotary ? writeRotation(graph, x, inputs.rotary, count) : x;
  const perGroup = (x: Value, features: number): Value =>
    graph.transpose(graph.reshape(x, [batch, tokens, kvHeads, features]), [0, 2, 1, 3]);

  const queries = graph.reshape(perGroup(rotate(inputs.query, heads), share * dim), [units, tokens * share, dim]);
  const keys = perGroup(rotate(inputs.key, kvHeads), dim); // [batch, kvHeads, tokens, dim]
  const values = perGroup(inputs.value, dim);
  const ofUnits = (x: Value): Value => graph.reshape(x, [units, tokens, dim]);
  const group = { queries, keys: ofUnits(keys), values: ofUnits(values) };
  const mixed = context
    ? writeInContext(graph, group, context, { kvHeads, scale, cap, strip })
    : writeCausal(graph, group, {
        ...{ window, strip, scale, cap },
        added: added && addedTables(graph, added, batch, kvHeads),
      });
  const byToken = graph.transpose(graph.reshape(mixed, [batch, kvHeads, tokens, share * dim]), [0, 2, 1, 3]);
  return { mixed: graph.reshape(byToken, [batch, tokens, width]), keys, values };
}

/** What is added, [heads][tokens], as the sum of two tables of float32 that holds twice their digits [units, 1, share, tokens]. */
function addedTables(
  graph: GraphBuilder,
  added: readonly (readonly number[])[],
  batch: number,
  kvHeads: number,
): CausalShape['added'] {
  const [share, tokens] = [added.length / kvHeads, added[0]!.length];
  const table = (data: readonly number[]): Value => {
    const ofHeads = graph.constant(data, [1, kvHeads, share, tokens]);
    return graph.reshape(graph.expand(ofHeads, [batch, kvHeads, share, tokens]), [batch * kvHeads, 1, share, tokens]);
  };
  const numbers = added.flat();
  return { high: table(numbers.map(Math.fround)), low: table(numbers.map((value) => value - Math.fround(value))) };
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
