import type { BlockShape, Scaling } from '../../families/config.ts';
import type { GraphPort, OnnxGraph } from './onnxGraph.ts';
import { FREE, type OnnxSequence } from './onnxSequence.ts';

/** Names of cosines and sines. */
export type AngleNames = readonly [cosines: string, sines: string];

/** How queries and keys are turned: the first 2 · pairs features of each head. */
export interface RotaryNames {
  /** Of the new tokens, [batch, tokens, 1, pairs]. */
  readonly angles: AngleNames;
  /**
   * Of all tokens, [batch, 1, total, pairs], where angles change with the length (LongRoPE): keys are then kept as they were before they were
   * turned, and turned at every run.
   */
  readonly allAngles?: AngleNames;
  readonly pairs: number;
  readonly interleaved: boolean;
}

/** What differs between the blocks. */
export interface OnnxAttentionShape extends BlockShape {
  /** A token sees itself and the window − 1 tokens before it. */
  readonly window: number | undefined;
  readonly rotary: RotaryNames | undefined;
  /** Factor of the products, where that is the block's own. */
  readonly scale?: number | undefined;
}

/** What all blocks share. */
interface OnnxAttentionModel {
  readonly headDim: number;
  readonly scores?: Scaling | undefined;
  /** What is added to the scores of each of the model's heads, float32 [batch, heads, total] (ALiBi). */
  readonly added?: string | undefined;
}

/**
 * Causal self-attention for any batch and length, in operators of the ONNX standard. Keys and values of earlier tokens come in, and go out with those
 * of the new ones. Query heads that share a key-value head are one matrix with it.
 */
export class OnnxAttention {
  /** Keys and values that come in, and that go out. */
  readonly inputs: GraphPort[] = [];
  readonly outputs: GraphPort[] = [];
  private readonly graph: OnnxGraph;
  private readonly sequence: OnnxSequence;
  private readonly model: OnnxAttentionModel;
  private readonly shapes = new Map<string, string>();

  constructor(graph: OnnxGraph, sequence: OnnxSequence, model: OnnxAttentionModel) {
    this.graph = graph;
    this.sequence = sequence;
    this.model = model;
  }

  /**
   * Query [batch · tokens, heads · dim], key and value [batch · tokens, kvHeads · dim] → like the query.
   *
   * @param index the block's: keys and values are named by it
   */
  write([query, key, value]: readonly [string, string, string], index: number, shape: OnnxAttentionShape): string {
    const { graph, model } = this;
    const { heads, kvHeads, rotary } = shape;
    const { headDim } = model;
    const share = heads / kvHeads;
    const turnsLate = rotary?.allAngles !== undefined;
    const turned = this.turned(query, heads, rotary);
    const scaled = this.times(turned, shape.scale ?? model.scores?.scale ?? 1 / Math.sqrt(headDim));
    const byGroup = this.byToken(scaled, [kvHeads, share, headDim]);
    const groups = graph.node('Transpose', [byGroup], { perm: [0, 2, 3, 1, 4] });
    const queries = graph.node('Reshape', [groups, graph.emit.integers([0, 0, -1, headDim])]);

    const ownKeys = this.perGroup(turnsLate ? key : this.turned(key, kvHeads, rotary), kvHeads, headDim);
    const keptKeys = this.withPast(`${index}.key`, ownKeys, kvHeads);
    const keys = rotary?.allAngles ? this.rotate(keptKeys, rotary, rotary.allAngles) : keptKeys;
    const values = this.withPast(`${index}.value`, this.perGroup(value, kvHeads, headDim), kvHeads);

    // [batch, kv, share · tokens, dim] · [batch, kv, dim, total]
    const products = graph.node('MatMul', [queries, graph.node('Transpose', [keys], { perm: [0, 1, 3, 2] })]);
    const weights = this.weights(products, shape);
    const mixed = graph.node('MatMul', [weights, values]);
    const perHead = graph.node('Reshape', [mixed, graph.emit.integers([0, 0, share, -1, headDim])]);
    const perToken = graph.node('Transpose', [perHead], { perm: [0, 3, 1, 2, 4] });
    return graph.node('Reshape', [perToken, graph.emit.integers([-1, heads * headDim])]);
  }

  /** Products [batch, kv, share · tokens, total] → what each token takes of all, of the same shape. */
  private weights(products: string, shape: OnnxAttentionShape): string {
    const { graph } = this;
    const { cap } = this.model.scores ?? {};
    const share = shape.heads / shape.kvHeads;
    const capped = cap === undefined ? products : this.times(graph.node('Tanh', [this.times(products, 1 / cap)]), cap);
    const perHead = graph.node('Reshape', [capped, this.endingInTotal([0, 0, share, -1])]);
    const masked = graph.node('Add', [perHead, this.sequence.mask(shape.window)]);
    const added = this.added(shape);
    const scores = added === undefined ? masked : graph.node('Add', [masked, added]);
    return graph.node('Reshape', [graph.node('Softmax', [scores], { axis: -1 }), this.endingInTotal([0, 0, -1])]);
  }

  /** What is added to the scores of a block's heads, [batch, kv, share, 1, total], where something is. */
  private added({ heads, kvHeads, groups }: BlockShape): string | undefined {
    const { graph } = this;
    const { added: all } = this.model;
    if (all === undefined) return undefined;
    const share = heads / kvHeads;
    const own = groups?.flatMap((group) => Array.from({ length: share }, (_, i) => group * share + i));
    const table = own ? graph.node('Gather', [all, graph.emit.integers(own)], { axis: 1 }) : all;
    return graph.node('Reshape', [table, this.endingInTotal([0, kvHeads, share, 1])]);
  }

  /** Puts the new tokens' behind those that come in, [batch, kv, total, dim], and gives all of them out. @param name behind the prefixes */
  private withPast(name: string, own: string, kvHeads: number): string {
    const { headDim } = this.model;
    const [past, present] = [`past_key_values.${name}`, `present.${name}`];
    const port = (of: string, tokens: string): GraphPort => ({
      name: of,
      type: 'float32',
      dims: [FREE.batch, kvHeads, tokens, headDim],
    });
    this.inputs.push(port(past, FREE.past));
    this.outputs.push(port(present, FREE.total));
    return this.graph.emit.node('Concat', [past, own], { axis: 2 }, { output: present });
  }

  private turned(x: string, heads: number, rotary: RotaryNames | undefined): string {
    return rotary ? this.rotate(this.byToken(x, [heads, this.model.headDim]), rotary, rotary.angles) : x;
  }

  /** Rotary positions along the last of four axes: (a, b, rest) → (a·cos − b·sin, b·cos + a·sin, rest); a and b are the halves, or every other feature. */
  private rotate(x: string, { pairs, interleaved }: RotaryNames, [cosines, sines]: AngleNames): string {
    const { graph } = this;
    const { headDim } = this.model;
    const part = (begin: number, end: number, step = 1): string =>
      graph.node('Slice', [x, ...[begin, end, 3, step].map((size) => graph.emit.integers([size]))]);
    const [a, b] = interleaved
      ? [part(0, 2 * pairs, 2), part(1, 2 * pairs, 2)]
      : [part(0, pairs), part(pairs, 2 * pairs)];
    const times = (half: string, table: string): string => graph.node('Mul', [half, table]);
    const turned = [
      graph.node('Sub', [times(a, cosines), times(b, sines)]),
      graph.node('Add', [times(b, cosines), times(a, sines)]),
    ];
    const rest = 2 * pairs < headDim ? [part(2 * pairs, headDim)] : [];
    if (!interleaved) return graph.node('Concat', [...turned, ...rest], { axis: 3 });
    const columns = turned.map((half) => graph.node('Unsqueeze', [half, graph.emit.integers([4])]));
    const paired = graph.node('Concat', columns, { axis: 4 });
    const flat = graph.node('Reshape', [paired, graph.emit.integers([0, 0, 0, 2 * pairs])]);
    return rest.length > 0 ? graph.node('Concat', [flat, ...rest], { axis: 3 }) : flat;
  }

  private times(x: string, factor: number): string {
    return this.graph.node('Mul', [x, this.graph.emit.constant('float32', [], [factor])]);
  }

  /** [batch · tokens, kv · features], or an axis more → [batch, kv, tokens, features] */
  private perGroup(x: string, kvHeads: number, features: number): string {
    return this.graph.node('Transpose', [this.byToken(x, [kvHeads, features])], { perm: [0, 2, 1, 3] });
  }

  /** → [batch, tokens, …rest] */
  private byToken(x: string, rest: readonly number[]): string {
    const { batch, tokens } = this.sequence;
    const shape = this.shape(rest.join(), [batch, tokens, this.graph.emit.integers(rest)]);
    return this.graph.node('Reshape', [x, shape]);
  }

  /** The shape […begin, total]. */
  private endingInTotal(begin: readonly number[]): string {
    return this.shape(`${begin.join()} total`, [this.graph.emit.integers(begin), this.sequence.total]);
  }

  private shape(key: string, parts: readonly string[]): string {
    const found = this.shapes.get(key) ?? this.graph.node('Concat', parts, { axis: 0 });
    this.shapes.set(key, found);
    return found;
  }
}
