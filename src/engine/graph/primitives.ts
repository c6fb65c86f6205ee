import type { ElementType } from './graph.ts';
import type { Shape } from './shape.ts';

/**
 * The closed set of primitives, each with its parameters. A primitive has one row in every total table
 * (type rule, ONNX lowering); leaving one out does not compile. Composite primitives (norms, attention, …) exist
 * where the runtime has a fused operator for them.
 */
export interface PrimitiveParameters {
  // elementwise, with broadcasting
  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  min: None;
  lessOrEqual: None;
  equal: None;
  neg: None;
  abs: None;
  sqrt: None;
  exp: None;
  log: None;
  tanh: None;
  relu: None;
  cast: { readonly to: ElementType };
  // reductions keep the reduced axes with size 1
  reduceSum: Axes;
  reduceMean: Axes;
  reduceMax: Axes;
  reduceMin: Axes;
  // layout
  reshape: { readonly shape: Shape };
  expand: { readonly shape: Shape };
  slice: { readonly axis: number; readonly begin: number; readonly end: number };
  scatterElements: { readonly axis: number };
  /** Indices (int64) of the k smallest elements along the last axis, in no order; of equal elements the lower index comes first. */
  smallestIndices: { readonly k: number };
  // composites
  /** x [n, in], weight [out, in], optional bias [out] → x · weightᵀ + bias [n, out]. */
  linear: None;
  /** x · rsqrt(mean(x²) + ε) · weight, over the last axis. */
  rmsNorm: { readonly epsilon: number };
  /** (x − mean x) / sqrt(var x + ε) · weight + bias, over the last axis. */
  layerNorm: { readonly epsilon: number };
  /** x · sigmoid(x). */
  silu: None;
  /** x · Φ(x), exact or in the tanh approximation. */
  gelu: { readonly approximate: boolean };
  /**
   * Causal self-attention. query [batch, tokens, heads·dim], key and value [batch, tokens, kvHeads·dim], with rotary positions
   * also cosines and sines [positions, dim/2] (halves layout); → [batch, tokens, heads·dim]. Scores are scaled by 1/sqrt(dim).
   */
  attention: AttentionParameters;
  /** logits [n, vocabulary], targets int32 [n] → −log softmax(logits)[target], float32 [n]. */
  crossEntropy: None;
}

export type PrimitiveName = keyof PrimitiveParameters;

export interface AttentionParameters {
  readonly heads: number;
  readonly kvHeads: number;
  readonly rotary: boolean;
  /** A token sees itself and the window − 1 tokens before it. */
  readonly window?: number;
}

type None = Readonly<Record<string, never>>;
interface Axes {
  readonly axes: readonly number[];
}
