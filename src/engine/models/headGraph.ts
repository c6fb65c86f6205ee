import type { ModelConfig } from '../families/families.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { writeScaling } from '../families/blockParts.ts';
import { familyOf } from '../families/families.ts';

export interface HeadGraphOptions {
  /** Rows of x: batch · tokens. */
  readonly rows: number;
  /** Rows whose logits exist at the same time. */
  readonly slice: number;
  readonly precision: 'float32' | 'float16';
  /** Type in which the head's matrix is fed. */
  readonly weightType: 'float32' | 'float16';
}

/** Everything after the last block: x [rows, hidden] → `logits` [rows, vocabulary]. */
export function buildLogitsGraph(config: ModelConfig, options: Omit<HeadGraphOptions, 'slice'>): Graph {
  const graph = new GraphBuilder();
  const x = graph.input('x', [options.rows, config.hidden]);
  graph.output('logits', logitsWriter(config, graph, options)(x));
  return graph.build('logits');
}

/**
 * Everything after the last block: x [rows, hidden] and targets int32 [rows] → the cross-entropy of each row's target.
 * The rows are worked off in slices, so that logits [slice, vocabulary] are all that is ever held; output `loss0`, `loss1`, … each
 * [slice] (the last one shorter).
 */
export function buildHeadGraph(config: ModelConfig, options: HeadGraphOptions): Graph {
  const { rows, slice } = options;
  const graph = new GraphBuilder();
  const x = graph.input('x', [rows, config.hidden]);
  const targets = graph.input('targets', [rows], 'int32');
  const logits = logitsWriter(config, graph, options);
  for (let begin = 0, index = 0; begin < rows; begin += slice, index++) {
    const end = Math.min(begin + slice, rows);
    const part = (value: Value): Value => (end - begin === rows ? value : graph.slice(value, 0, begin, end));
    graph.output(`loss${index}`, graph.crossEntropy(logits(part(x)), part(targets)));
  }
  return graph.build('head');
}

/**
 * How far a model's next-token distributions are from those of the dense one: x and `dense` [rows, hidden], both after the last block →
 * KL(dense ‖ x) of each row, in nats. The dense logits are made anew of the states here, as they are too large to keep. Slices and outputs
 * (`divergence0`, `divergence1`, …) are as {@link buildHeadGraph} has them.
 */
export function buildDivergenceGraph(config: ModelConfig, options: HeadGraphOptions): Graph {
  const { rows, slice } = options;
  const graph = new GraphBuilder();
  const x = graph.input('x', [rows, config.hidden]);
  const dense = graph.input('dense', [rows, config.hidden]);
  const logits = logitsWriter(config, graph, options);
  for (let begin = 0, index = 0; begin < rows; begin += slice, index++) {
    const end = Math.min(begin + slice, rows);
    const logProbabilities = (states: Value): Value => graph.logSoftmax(logits(graph.slice(states, 0, begin, end)));
    const [p, q] = [logProbabilities(dense), logProbabilities(x)];
    const divergence = graph.sumOfRow(graph.mul(graph.exp(p), graph.sub(p, q)));
    graph.output(`divergence${index}`, graph.reshape(divergence, [end - begin]));
  }
  return graph.build('divergence');
}

export interface ScoreGraphOptions extends Omit<HeadGraphOptions, 'slice'> {
  /** Tokens that are asked for behind a row. */
  readonly targets: number;
}

/**
 * Log-probabilities of tokens: x [rows, hidden], targets int32 [rows, targets] → `scores` [rows, targets] float32 over the whole vocabulary, and
 * `most` [rows, 1], that of the most likely token.
 */
export function buildScoreGraph(config: ModelConfig, options: ScoreGraphOptions): Graph {
  const { rows, targets } = options;
  const graph = new GraphBuilder();
  const x = graph.input('x', [rows, config.hidden]);
  const asked = graph.input('targets', [rows, targets], 'int32');
  const logProbabilities = graph.logSoftmax(logitsWriter(config, graph, options)(x));
  graph.output('scores', graph.gatherElements(logProbabilities, asked, 1));
  graph.output('most', graph.reduceMax(logProbabilities, [1]));
  return graph.build('scores');
}

/** Those of the whole vocabulary: x [rows, hidden] → `logProbabilities` [rows, vocabulary]. */
export function buildLogProbabilitiesGraph(config: ModelConfig, options: Omit<HeadGraphOptions, 'slice'>): Graph {
  const graph = new GraphBuilder();
  const x = graph.input('x', [options.rows, config.hidden]);
  graph.output('logProbabilities', graph.logSoftmax(logitsWriter(config, graph, options)(x)));
  return graph.build('log-probabilities');
}

/** Adds the head's parameters as inputs; → what turns rows of x into rows of logits. */
function logitsWriter(
  config: ModelConfig,
  graph: GraphBuilder,
  { precision, weightType }: Pick<HeadGraphOptions, 'precision' | 'weightType'>,
): (x: Value) => Value {
  const family = familyOf(config);
  const head = family.head(config);
  const parameters = new Map(head.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const weight = graph.cast(graph.input('head', head.weight.shape, weightType), precision);
  const writer = { graph, parameter: (name: string): Value => parameters.get(name)! };
  return (x) => {
    const final = graph.cast(family.writeFinal(config, writer, x), precision);
    return writeScaling(graph, graph.cast(graph.linear(final, weight), 'float32'), config.logits);
  };
}
