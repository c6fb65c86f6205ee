import { DATA_TYPES } from '../../graph/onnx/emitter.ts';
import type { OnnxGraph } from './onnxGraph.ts';

/** Names of what the graph reads, as transformers.js, Optimum and others call it. */
export const INPUT_IDS = 'input_ids';
const ATTENTION_MASK = 'attention_mask';
const LOGITS_TO_KEEP = 'num_logits_to_keep';

/** Dimensions that are free, by these names. transformers.js makes the first keys and values by them: any but the batch begins at 0. */
export const FREE = {
  batch: 'batch_size',
  tokens: 'sequence_length',
  past: 'past_sequence_length',
  total: 'total_sequence_length',
  logits: 'num_logits',
} as const;

/**
 * Inputs beside keys and values: `input_ids` of the tokens that are new; `attention_mask` of these and all before, 1, or 0 where one is padding; and of how many
 * tokens, the last ones, logits are computed, 0 for all. transformers.js generates with 1: a prompt's others are never looked at.
 */
export const SEQUENCE_INPUTS = [
  { name: INPUT_IDS, type: 'int64', dims: [FREE.batch, FREE.tokens] },
  { name: ATTENTION_MASK, type: 'int64', dims: [FREE.batch, FREE.total] },
  { name: LOGITS_TO_KEEP, type: 'int64', dims: [] },
] as const;

/**
 * What the inputs say of the tokens: how many there are, where each stands, what it sees. Positions are counted along the attention mask, so a
 * sequence that is padded on its left has those that it has alone; there is no input for them.
 */
export class OnnxSequence {
  /** int64 [1] each: sequences, their new tokens, and all of their tokens. */
  readonly batch: string;
  readonly tokens: string;
  readonly total: string;
  /** Positions, int64: of the new tokens [batch, tokens], and of all [batch, total]. */
  readonly positions: string;
  readonly allPositions: string;
  /** int64 [batch, 1]: tokens of each sequence that are no padding. */
  readonly lengths: string;
  private readonly graph: OnnxGraph;
  private readonly past: string;
  private readonly masks = new Map<number | undefined, string>();

  constructor(graph: OnnxGraph) {
    this.graph = graph;
    const { emit } = graph;
    const sizeOf = (input: string, axis: number): string =>
      graph.node('Slice', [graph.node('Shape', [input]), emit.integers([axis]), emit.integers([axis + 1])]);
    this.batch = sizeOf(INPUT_IDS, 0);
    this.tokens = sizeOf(INPUT_IDS, 1);
    this.total = sizeOf(ATTENTION_MASK, 1);
    this.past = graph.node('Sub', [this.total, this.tokens]);
    const [zero, one] = [emit.constant('int64', [], [0]), emit.constant('int64', [], [1])];
    const counted = graph.node('CumSum', [ATTENTION_MASK, one]);
    // What stands before the first token has no position: any that there is will do.
    this.allPositions = graph.node('Max', [graph.node('Sub', [counted, one]), zero]);
    const alongTokens = (x: string, from: string): string =>
      graph.node('Slice', [x, from, this.total, emit.integers([1])]);
    this.positions = alongTokens(this.allPositions, this.past);
    this.lengths = alongTokens(counted, graph.node('Sub', [this.total, emit.integers([1])]));
  }

  /** Of rows [batch · tokens, width] those of the tokens whose logits are asked for. */
  kept(x: string, width: number): string {
    const { graph, batch, tokens } = this;
    const { emit } = graph;
    const shape = graph.node('Concat', [batch, tokens, emit.integers([width])], { axis: 0 });
    // Counted from the end; from −0 on are all.
    const first = graph.node('Reshape', [graph.node('Neg', [LOGITS_TO_KEEP]), emit.integers([1])]);
    const rows = graph.node('Slice', [graph.node('Reshape', [x, shape]), first, tokens, emit.integers([1])]);
    return graph.node('Reshape', [rows, emit.integers([-1, width])]);
  }

  /** float32 [batch, 1, 1, tokens, total]: 0 where a new token sees one of all, else a number that leaves nothing of it. */
  mask(window: number | undefined): string {
    const found = this.masks.get(window);
    if (found !== undefined) return found;
    const { graph } = this;
    const { emit } = graph;
    const shown = graph.node('Cast', [ATTENTION_MASK], { to: DATA_TYPES.bool });
    const visible = graph.node('And', [this.near(window), graph.node('Unsqueeze', [shown, emit.integers([1, 2, 3])])]);
    const [seen, unseen] = [0, -1e30].map((value) => emit.constant('float32', [], [value]));
    const mask = graph.node('Where', [visible, seen!, unseen!]);
    this.masks.set(window, mask);
    return mask;
  }

  /** bool [tokens, total]: whether one of all tokens is the new one or before it, and in its window. */
  private near(window: number | undefined): string {
    const { graph } = this;
    const { emit } = graph;
    const scalar = (x: string): string => graph.node('Squeeze', [x, emit.integers([0])]);
    const one = emit.constant('int64', [], [1]);
    const keys = graph.node('Range', [emit.constant('int64', [], [0]), scalar(this.total), one]);
    const queries = graph.node('Reshape', [
      graph.node('Range', [scalar(this.past), scalar(this.total), one]),
      emit.integers([-1, 1]),
    ]);
    const before = graph.node('LessOrEqual', [keys, queries]);
    if (window === undefined) return before;
    const apart = graph.node('Sub', [queries, keys]);
    return graph.node('And', [before, graph.node('Less', [apart, emit.constant('int64', [], [window])])]);
  }
}
