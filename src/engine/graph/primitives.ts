import type { ElementType } from './elementType.ts';
import type { Shape } from './shape.ts';

/**
 * The closed set of primitives, each with its parameters. A primitive has one row in every total table
 * (type rule, ONNX lowering, gradient rule); leaving one out does not compile. Composite primitives (norms, activations, …)
 * exist where the runtime has a fused operator for them.
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
  /** condition, x, y → x where the condition holds, else y. */
  where: None;
  neg: None;
  abs: None;
  sqrt: None;
  exp: None;
  log: None;
  tanh: None;
  relu: None;
  sigmoid: None;
  erf: None;
  cast: { readonly to: ElementType };
  // reductions keep the reduced axes with size 1
  reduceSum: Axes;
  reduceMean: Axes;
  reduceMax: Axes;
  reduceMin: Axes;
  reduceSumSquare: Axes;
  /** exp(x) / Σ exp(x) along the last axis. */
  softmax: None;
  /** x − max x − log Σ exp(x − max x) along the last axis. */
  logSoftmax: None;
  // layout
  reshape: { readonly shape: Shape };
  expand: { readonly shape: Shape };
  /** Axis i of the output is axis permutation[i] of the input. */
  transpose: { readonly permutation: readonly number[] };
  /**
   * Elements begin … end − 1 along an axis. Further inputs have been computed before, where the device has an order: what reads a slice can wait for
   * them, so that it is not computed, and held, long before it is needed.
   */
  slice: { readonly axis: number; readonly begin: number; readonly end: number };
  /** Inputs one after the other along an axis. */
  concat: { readonly axis: number };
  /** x, indices → like indices: the elements of x at these indices along the axis, elsewhere in place. */
  gatherElements: { readonly axis: number };
  /** x, indices, updates → x with updates at these indices, which are distinct along the axis. */
  scatterElements: { readonly axis: number };
  /**
   * x [n, …width], chosen [n, 1] of 0 and 1 → the rows of x where chosen is 1, in their order; other rows may stand among them as zeros, as
   * the device has it. The shape says how many rows there are at most, so what reads them treats all rows alike and asks for no number
   * of them, until {@link addRows} puts them back.
   */
  takeRows: None;
  /** x [n, …width], rows as takeRows gives them for the same chosen → x with each row added in its place. */
  addRows: None;
  /** Indices (int64) of the k smallest elements along the last axis, in no order; of equal elements the lower index comes first. */
  smallestIndices: { readonly k: number };
  // products
  /** a [… , m, k], b [… , k, n] → scale · a · b [… , m, n]; a transposed operand has its last two axes swapped. */
  matMul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly scale: number };
  // composites
  /** x [n, in], weight [out, in], optional bias [out] → x · weightᵀ + bias [n, out]. */
  linear: None;
  /** x · rsqrt(mean(x²) + ε) · weight, over the last axis. */
  rmsNorm: { readonly epsilon: number };
  /** (x − mean x) / sqrt(var x + ε) · weight + bias, over the last axis; the bias is optional. */
  layerNorm: { readonly epsilon: number };
  /** x · sigmoid(x). */
  silu: None;
  /** x · Φ(x), exact or in the tanh approximation. */
  gelu: { readonly approximate: boolean };
  /** Rotary positions: x [batch, tokens, heads·dim], cosines and sines [tokens, dim/2] → like x. A pair is of both halves, or of neighbours. */
  rotate: { readonly heads: number; readonly interleaved: boolean };
  /** logits [n, vocabulary], targets int32 [n] → −log softmax(logits)[target], float32 [n]. */
  crossEntropy: None;
}

export type PrimitiveName = keyof PrimitiveParameters;

type None = Readonly<Record<string, never>>;
interface Axes {
  readonly axes: readonly number[];
}
