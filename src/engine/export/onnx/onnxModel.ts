import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeNew } from '../../../files/writeWhole.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { writeScaling } from '../../families/blockParts.ts';
import type { ModelConfig } from '../../families/families.ts';
import { allParameters, familyOf } from '../../families/families.ts';
import { type BlockLayout, type BlockWriter, type Parameter, rotationOf } from '../../families/family.ts';
import type { Value } from '../../graph/graph.ts';
import { OnnxAttention, type OnnxAttentionShape } from './onnxAttention.ts';
import { type GraphPort, OnnxGraph, OPSET } from './onnxGraph.ts';
import { OnnxPositions } from './onnxPositions.ts';
import { FREE, INPUT_IDS, OnnxSequence, SEQUENCE_INPUTS } from './onnxSequence.ts';
import { WeightFiles } from './weightFiles.ts';

/** Where transformers.js looks for the model in a folder. */
const ONNX_FOLDER = 'onnx';
const MODEL = 'model.onnx';
export const ONNX_FILE = path.join(ONNX_FOLDER, MODEL);

/**
 * Writes a checkpoint as an ONNX model of standard operators, with keys and values of earlier tokens as inputs and outputs. Weights are float32, in
 * files of their own (so that 2 GB are no limit), read a part at a time.
 *
 * Inputs: those of {@link SEQUENCE_INPUTS}, and of each block with heads `past_key_values.N.key` and `.value`, float32 [batch, its key-value heads, past,
 * dim]. Outputs: `logits` float32 [batch, those asked for, vocabulary], `present.N.key` and `.value` of all.
 *
 * @param positions tokens that a sequence may have: see `onnxPositions`
 * @returns how many files the weights are in
 */
export async function writeOnnx(
  checkpoint: Checkpoint,
  folder: string,
  positions: number,
  step: (done: number, total: number) => Promise<void>,
): Promise<number> {
  const { config } = checkpoint;
  await mkdir(path.join(folder, ONNX_FOLDER));
  const weights = new WeightFiles(path.join(folder, ONNX_FOLDER), MODEL);
  try {
    const parameters = allParameters(config);
    for (const [index, parameter] of parameters.entries()) {
      await step(index, parameters.length);
      weights.copy(checkpoint, parameter);
    }
    const { graph, attention } = writeGraph(config, positions, weights);
    const bytes = graph.encode({
      stored: weights.stored,
      inputs: [...SEQUENCE_INPUTS, ...attention.inputs],
      outputs: [logitsPort(config), ...attention.outputs],
      metadata: { architecture: config.architecture, max_tokens: String(positions), opset: String(OPSET) },
    });
    weights.finish();
    await writeNew(path.join(folder, ONNX_FILE), bytes);
    return weights.count;
  } finally {
    weights.close();
  }
}

function logitsPort({ vocabulary }: ModelConfig): GraphPort {
  return { name: 'logits', type: 'float32', dims: [FREE.batch, FREE.logits, vocabulary] };
}

function writeGraph(
  config: ModelConfig,
  positions: number,
  weights: WeightFiles,
): { graph: OnnxGraph; attention: OnnxAttention } {
  const graph = new OnnxGraph();
  const family = familyOf(config);
  const { emit } = graph;
  const sequence = new OnnxSequence(graph);
  const tables = new OnnxPositions(graph, sequence, config, positions, weights);
  const { headDim, scores } = config;
  const attention = new OnnxAttention(graph, sequence, { headDim, scores, added: tables.added() });

  let x = writeEmbedding(config, graph, sequence);
  for (const [index] of config.windows.entries()) {
    const layout = family.block(config, index);
    const rotation = rotationOf(config, layout);
    const { shape, window, scale } = layout;
    const rotary = rotation && shape.heads > 0 ? tables.rotary(rotation) : undefined;
    const attend = (names: readonly [string, string, string]): string =>
      attention.write(names, index, { ...shape, window, scale, rotary } satisfies OnnxAttentionShape);
    x = family.writeBlock(config, blockWriter(graph, layout, attend), x);
  }
  const { parameters, weight } = family.head(config);
  const found = weightsOf(graph, parameters);
  const kept = graph.rows(sequence.kept(graph.nameOf(x), config.hidden), config.hidden);
  const final = family.writeFinal(config, { graph, parameter: (name) => found.get(name)! }, kept);
  const logits = writeScaling(graph, graph.linear(final, graph.weight(weight.tensor, weight.shape)), config.logits);
  const shape = graph.node('Concat', [sequence.batch, emit.integers([-1, config.vocabulary])], { axis: 0 });
  emit.node('Reshape', [graph.nameOf(logits), shape], {}, { output: logitsPort(config).name });
  return { graph, attention };
}

/** → [batch · tokens, hidden] */
function writeEmbedding(config: ModelConfig, graph: OnnxGraph, sequence: OnnxSequence): Value {
  const { emit } = graph;
  const { table, scale, projection, positions, norm } = familyOf(config).embedding(config);
  const rowsOf = (parameter: Parameter, indices: string): string =>
    graph.node('Reshape', [
      graph.node('Gather', [parameter.tensor, indices]),
      emit.integers([-1, parameter.shape[1]!]),
    ]);
  let x = rowsOf(table, INPUT_IDS);
  if (scale !== undefined) x = graph.node('Mul', [x, emit.constant('float32', [], [scale])]);
  if (projection) x = graph.node('Gemm', [x, projection.tensor], { transB: 1 });
  if (positions) {
    const { parameter, offset } = positions;
    const at = graph.node('Add', [sequence.positions, emit.constant('int64', [], [offset])]);
    x = graph.node('Add', [x, rowsOf(parameter, at)]);
  }
  const embedded = graph.rows(x, config.hidden);
  if (!norm) return embedded;
  const [weight, bias] = [norm.weight, norm.bias].map(({ tensor, shape }) => graph.weight(tensor, shape));
  return graph.layerNorm(embedded, weight!, bias, config.normEpsilon);
}

/** @param attend writes the block's attention, by the names of queries, keys and values */
function blockWriter(
  graph: OnnxGraph,
  { shape, parameters }: BlockLayout,
  attend: (names: readonly [string, string, string]) => string,
): BlockWriter {
  const found = weightsOf(graph, parameters);
  const parameter = (name: string): Value => found.get(name)!;
  const bias = (name: string): Value | undefined => found.get(`${name}.bias`);
  return {
    graph,
    shape,
    parameter,
    bias,
    linear: (name, x) => graph.linear(x, parameter(name), bias(name)),
    attention: (query, key, value) =>
      graph.rows(attend([graph.nameOf(query), graph.nameOf(key), graph.nameOf(value)]), query.shape[1]!),
    headsNorm: (x, weight, epsilon) => graph.rmsNorm(x, weight, epsilon),
    narrowed: (x) => x,
    channels: (x) => x,
    experts: (logits) => logits,
    addExpert(y, _, { x, chosen, weights }, write) {
      const made = graph.mul(write(graph.takeRows(x, chosen)), graph.takeRows(weights, chosen));
      return graph.addRows(y, made, chosen);
    },
  };
}

function weightsOf(graph: OnnxGraph, parameters: readonly Parameter[]): ReadonlyMap<string, Value> {
  return new Map(parameters.map(({ name, tensor, shape }) => [name, graph.weight(tensor, shape)]));
}
