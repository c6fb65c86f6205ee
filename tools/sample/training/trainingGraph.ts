import type { ModelConfig } from '../../../src/engine/families/families.ts';
import { gradients } from '../../../src/engine/graph/autodiff.ts';
import { type AttentionInputs, writeAttention } from '../../../src/engine/graph/attention.ts';
import { rotaryInputs } from '../../../src/engine/models/blockGraph.ts';
import type { Graph, Value } from '../../../src/engine/graph/graph.ts';
import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import type { BlockLayout, BlockWriter, Parameter } from '../../../src/engine/families/family.ts';
import { familyOf } from '../../../src/engine/families/families.ts';

export interface TrainingGraphOptions {
  /** Sequences to an update. */
  readonly batch: number;
  readonly tokens: number;
}

/** Every tensor that is trained, once: with tied embeddings the head's matrix is the embedding table. */
export function trainedParameters(config: ModelConfig): readonly Parameter[] {
  const family = familyOf(config);
  const { parameters, weight } = family.head(config);
  const all = [
    family.embedding(config).table,
    ...config.windows.flatMap((_, index) => family.block(config, index).parameters),
    ...parameters,
    weight,
  ];
  return [...new Map(all.map((parameter) => [parameter.tensor, parameter])).values()];
}

/**
 * A small model forwards and backwards as one program: embedded tokens `x` [batch · tokens, hidden], `targets` int32 [batch · tokens],
 * rotary tables and every tensor under its name in the checkpoint → `loss` [1], the mean cross-entropy; `dx`; and `d:tensor` for
 * each tensor that it uses. The embedding's lookup and what `dx` adds to its gradient stay on the host: as products with one-hot rows
 * they would cost more than the model. All activations are kept, so this is for models whose batch fits into memory.
 */
export function buildTrainingGraph(config: ModelConfig, { batch, tokens }: TrainingGraphOptions): Graph {
  const graph = new GraphBuilder();
  const family = familyOf(config);
  const rows = batch * tokens;
  const x = graph.input('x', [rows, config.hidden]);
  const targets = graph.input('targets', [rows], 'int32');
  const { positions } = config;
  const rotary = rotaryInputs(graph, positions.kind === 'rotary' ? positions : undefined, tokens);
  const tensors = new Map<string, Value>();
  const input = ({ tensor, shape }: Parameter): Value => {
    const value = tensors.get(tensor) ?? graph.input(tensor, shape);
    tensors.set(tensor, value);
    return value;
  };

  let hidden = x;
  for (const index of config.windows.keys()) {
    const layout = family.block(config, index);
    hidden = family.writeBlock(config, blockWriter(graph, layout, tokens, rotary, input), hidden);
  }
  const head = family.head(config);
  const named = new Map(head.parameters.map((parameter) => [parameter.name, input(parameter)]));
  const final = family.writeFinal(config, { graph, parameter: (name) => named.get(name)! }, hidden);
  const losses = graph.crossEntropy(graph.linear(final, input(head.weight)), targets);
  const loss = graph.reduceMean(losses, [0]);

  const wanted = [...tensors.values(), x];
  const found = gradients(graph, [{ value: loss, cotangent: graph.constant([1], [1]) }], wanted);
  graph.output('loss', loss);
  graph.output('dx', found.at(-1)!);
  for (const [index, name] of [...tensors.keys()].entries()) graph.output(`d:${name}`, found[index]!);
  return graph.build('training');
}

/** Writes a block with its parameters under the checkpoint's names: one program holds all blocks. */
function blockWriter(
  graph: GraphBuilder,
  layout: BlockLayout,
  tokens: number,
  rotary: AttentionInputs['rotary'],
  input: (parameter: Parameter) => Value,
): BlockWriter {
  const parameters = new Map(layout.parameters.map((parameter) => [parameter.name, input(parameter)]));
  const parameter = (name: string): Value => parameters.get(name)!;
  const bias = (name: string): Value | undefined => parameters.get(`${name}.bias`);
  return {
    graph,
    shape: layout.shape,
    parameter,
    bias,
    linear: (name, x) => graph.linear(x, parameter(name), bias(name)),
    narrowed: (x) => x,
    channels: (x) => x,
    headsNorm: (x, weight, epsilon) => graph.rmsNorm(x, weight, epsilon),
    experts: (logits) => logits,
    addExpert: (y, _, { x, weights }, write) => graph.add(y, graph.mul(write(x), weights)),
    attention(query, key, value) {
      const perSequence = (x: Value): Value => graph.reshape(x, [x.shape[0]! / tokens, tokens, x.shape[1]!]);
      const inputs = { query: perSequence(query), key: perSequence(key), value: perSequence(value), rotary };
      const { heads, kvHeads } = layout.shape;
      const { mixed } = writeAttention(graph, inputs, { heads, kvHeads, window: layout.window });
      return graph.reshape(mixed, query.shape);
    },
  };
}
