import type { ModelConfig } from '../families/families.ts';
import { gradients } from '../graph/autodiff.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { writeScaling } from '../families/blockParts.ts';
import { familyOf } from '../families/families.ts';

export interface HeadGradientOptions {
  /** Rows of x: batch · tokens. */
  readonly rows: number;
  /** Rows whose logits exist at the same time. */
  readonly slice: number;
  /** Type in which the head's matrix is fed. Gradients are computed in float32 in any case. */
  readonly weightType: 'float32' | 'float16';
  /** Parameters whose gradient is wanted, by their input's name; the matrix is `head`. */
  readonly parameters: readonly string[];
  /** Whether the cross-entropies themselves are wanted. */
  readonly losses: boolean;
  /** Whether the gradients are added to those of the batches before. */
  readonly accumulate: boolean;
}

/**
 * Everything after the last block, and back: x [rows, hidden], targets int32 [rows], `rowWeights` [rows] and the head's parameters →
 * `dx` = ∂L/∂x for L = Σ_rows rowWeight · cross-entropy, and where wanted `loss` [rows] (not weighted) and `d:name`. The rows are
 * worked off in slices, forwards and backwards, so that logits [slice, vocabulary] are all that is ever held.
 */
export function buildHeadGradientGraph(config: ModelConfig, options: HeadGradientOptions): Graph {
  const graph = new GraphBuilder();
  const x = graph.input('x', [options.rows, config.hidden]);
  graph.output('dx', writeHeadGradient(graph, config, x, options));
  return graph.build('head, backwards');
}

/** Adds the head's inputs, and all outputs but the first; → ∂L/∂x. */
export function writeHeadGradient(
  graph: GraphBuilder,
  config: ModelConfig,
  x: Value,
  options: HeadGradientOptions,
): Value {
  const { rows, slice, weightType, accumulate } = options;
  const family = familyOf(config);
  const head = family.head(config);
  const targets = graph.input('targets', [rows], 'int32');
  const rowWeights = graph.input('rowWeights', [rows]);
  const parameters = new Map(head.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  parameters.set('head', graph.cast(graph.input('head', head.weight.shape, weightType), 'float32'));
  const writer = { graph, parameter: (name: string): Value => parameters.get(name)! };

  const [losses, backwards]: [Value[], Value[]] = [[], []];
  const sums = new Map<string, Value>();
  if (accumulate) {
    for (const name of options.parameters) sums.set(name, graph.input(`sum:${name}`, writer.parameter(name).shape));
  }
  for (let begin = 0; begin < rows; begin += slice) {
    const part = (value: Value): Value => graph.slice(value, 0, begin, Math.min(begin + slice, rows));
    const input = part(x);
    const products = graph.linear(family.writeFinal(config, writer, input), writer.parameter('head'));
    const logits = writeScaling(graph, products, config.logits);
    const loss = graph.crossEntropy(logits, part(targets));
    const wanted = options.parameters.map((name) => writer.parameter(name));
    const found = gradients(graph, [{ value: loss, cotangent: part(rowWeights) }], [...wanted, input]);
    losses.push(loss);
    backwards.push(found.at(-1)!);
    for (const [index, name] of options.parameters.entries()) {
      const sum = sums.get(name);
      sums.set(name, sum ? graph.add(sum, found[index]!) : found[index]!);
    }
  }
  if (options.losses) graph.output('loss', graph.concat(losses, 0));
  for (const [name, sum] of sums) graph.output(`d:${name}`, sum);
  return graph.concat(backwards, 0);
}
