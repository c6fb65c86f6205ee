import type { BlockShape, Scaling } from '../families/config.ts';
import type { OnnxGraph } from './onnxGraph.ts';

/** Names of what the attention of every block shares. */
export interface SequenceNames {
  /** int64 [1] each. */
  readonly batch: string;
  readonly tokens: string;
  /** What is added to the scores of each of the model's heads, [heads, tokens] by the key's position (ALiBi). */
  readonly added?: string | undefined;
}

/** Cosines and sines [1, tokens, 1, pairs]: of the first 2 · pairs features of each head. */
export interface RotaryNames {
  readonly cosines: string;
  readonly sines: string;
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

/**
 * Causal self-attention for any batch and length, in operators of the ONNX standard. Query heads that share a key-value head are an
 * axis of their own, along which keys and values are broadcast.
 */
export class OnnxAttention {
  private readonly graph: OnnxGraph;
  private readonly sequence: SequenceNames;
  private readonly headDim: number;
  private readonly scores: Scaling;
  private readonly masks = new Map<number | undefined, string>();
  private readonly shapes = new Map<string, string>();

  constructor(graph: OnnxGraph, sequence: SequenceNames, headDim: number, scores: Scaling = {}) {
    this.graph = graph;
    this.sequence = sequence;
    this.headDim = headDim;
    this.scores = scores;
  }

  /** Query [batch · tokens, heads · dim], key and value [batch · tokens, kvHeads · dim] → like the query. */
  write([query, key, value]: readonly [string, string, string], shape: OnnxAttentionShape): string {
    const { graph, headDim } = this;
    const { heads, kvHeads, window, rotary } = shape;
    const { scale = 1 / Math.sqrt(headDim), cap } = this.scores;
    const share = heads / kvHeads;
    const times = (x: string, factor: number): string =>
      graph.node('Mul', [x, graph.emit.constant('float32', [], [factor])]);
    const rotated = times(this.rotate(query, heads, rotary), shape.scale ?? scale);
    const queries = this.reshape(rotated, [kvHeads, share, headDim]);
    const perGroup = (x: string) => this.reshape(x, [kvHeads, 1, headDim]);
    // [batch, kv, share, tokens, dim] · [batch, kv, 1, dim, tokens] → [batch, kv, share, tokens, tokens]
    const products = graph.node('MatMul', [
      graph.node('Transpose', [queries], { perm: [0, 2, 3, 1, 4] }),
      graph.node('Transpose', [perGroup(this.rotate(key, kvHeads, rotary))], { perm: [0, 2, 3, 4, 1] }),
    ]);
    const capped = cap === undefined ? products : times(graph.node('Tanh', [times(products, 1 / cap)]), cap);
    const masked = graph.node('Add', [capped, this.mask(window)]);
    const added = this.added(shape);
    const scores = added === undefined ? masked : graph.node('Add', [masked, added]);
    const weights = graph.node('Softmax', [scores], { axis: -1 });
    const values = graph.node('Transpose', [perGroup(value)], { perm: [0, 2, 3, 1, 4] });
    const mixed = graph.node('Transpose', [graph.node('MatMul', [weights, values])], { perm: [0, 3, 1, 2, 4] });
    return graph.node('Reshape', [mixed, graph.emit.integers([-1, heads * headDim])]);
  }

  /** Rotary positions: (a, b, rest) → (a·cos − b·sin, b·cos + a·sin, rest); a and b are the halves, or every other feature. */
  private rotate(x: string, heads: number, rotary: RotaryNames | undefined): string {
    const { graph, headDim } = this;
    if (!rotary) return x;
    const whole = this.reshape(x, [heads, headDim]);
    const { pairs, interleaved } = rotary;
    const part = (
      ...range: readonly [begin: number, end: number] | readonly [number, number, step: number]
    ): string => {
      const [begin, end, ...step] = range;
      const lists = [[begin], [end], [3], ...step.map((size) => [size])];
      return graph.node('Slice', [whole, ...lists.map((list) => graph.emit.integers(list))]);
    };
    const [a, b] = interleaved
      ? [part(0, 2 * pairs, 2), part(1, 2 * pairs, 2)]
      : [part(0, pairs), part(pairs, 2 * pairs)];
    const times = (half: string, table: string): string => graph.node('Mul', [half, table]);
    const turned = [
      graph.node('Sub', [times(a, rotary.cosines), times(b, rotary.sines)]),
      graph.node('Add', [times(b, rotary.cosines), times(a, rotary.sines)]),
    ];
    const rest = 2 * pairs < headDim ? [part(2 * pairs, headDim)] : [];
    if (!interleaved) return graph.node('Concat', [...turned, ...rest], { axis: 3 });
    const columns = turned.map((half) => this.reshape(half, [heads, pairs, 1]));
    const paired = this.reshape(graph.node('Concat', columns, { axis: 4 }), [heads, 2 * pairs]);
    return rest.length > 0 ? graph.node('Concat', [paired, ...rest], { axis: 3 }) : paired;
  }

  /** What is added to the scores of a block's heads, [kv, share, 1, tokens], where something is. */
  private added({ heads, kvHeads, groups }: BlockShape): string | undefined {
    const { graph } = this;
    const { added: all, tokens } = this.sequence;
    if (all === undefined) return undefined;
    const share = heads / kvHeads;
    const own = groups?.flatMap((group) => Array.from({ length: share }, (_, i) => group * share + i));
    const table = own ? graph.node('Gather', [all, graph.emit.integers(own)], { axis: 0 }) : all;
    const shape = graph.node('Concat', [graph.emit.integers([kvHeads, share, 1]), tokens], { axis: 0 });
    return graph.node('Reshape', [table, shape]);
  }

  /** → [batch, tokens, …rest] */
  private reshape(x: string, rest: readonly number[]): string {
    const key = rest.join();
    let shape = this.shapes.get(key);
    if (shape === undefined) {
      const { batch, tokens } = this.sequence;
      shape = this.graph.node('Concat', [batch, tokens, this.graph.emit.integers(rest)], { axis: 0 });
      this.shapes.set(key, shape);
    }
    return this.graph.node('Reshape', [x, shape]);
  }

  /** [tokens, tokens]: 0 where the query of a row sees the key of a column, else a number that leaves nothing of it. */
  private mask(window: number | undefined): string {
    const found = this.masks.get(window);
    if (found !== undefined) return found;
    const { graph } = this;
    const scalar = (value: number): string => graph.emit.constant('int64', [], [value]);
    const count = graph.node('Squeeze', [this.sequence.tokens, graph.emit.integers([0])]);
    const positions = graph.node('Range', [scalar(0), count, scalar(1)]);
    const queries = graph.node('Reshape', [positions, graph.emit.integers([-1, 1])]);
    const past = graph.node('LessOrEqual', [positions, queries]);
    const near =
      window === undefined
        ? past
        : graph.node('And', [
            past,
            graph.node('Less', [graph.node('Sub', [queries, positions]), graph.emit.constant('int64', [], [window])]),
          ]);
    const [seen, unseen] = [0, -1e30].map((value) => graph.emit.constant('float32', [], [value]));
    const mask = graph.node('Where', [near, seen!, unseen!]);
    this.masks.set(window, mask);
    return mask;
  }
}
