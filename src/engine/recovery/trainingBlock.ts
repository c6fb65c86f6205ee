import { writeHeadGradient } from '../gradient/headGradientGraph.ts';
import type { BlockLayout } from '../families/family.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import { gradients } from '../graph/autodiff.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { type SplitGraph, splitGraph } from '../graph/splitGraph.ts';
import { ProgramBlockWriter, type WrittenLinear } from '../models/blockGraph.ts';

/** Low-rank factors beside the weight [out, in] of a linear layer: A [rank, in], B [out, rank]. */
export interface FactorShape {
  /** The weight's input name in the block's program. */
  readonly name: string;
  readonly rank: number;
  /** What the product B · A is multiplied by. */
  readonly scaling: number;
}

/** What of a block is trained. */
export interface TrainedParts {
  readonly factors: readonly FactorShape[];
  /** Vectors (norms, biases), by their input's name. */
  readonly vectors: readonly string[];
}

export interface TrainingShape {
  readonly batch: number;
  readonly tokens: number;
}

/** Names of the factors of a linear layer among a program's inputs. */
export const downName = (name: string): string => `${name}.lora_A`;
export const upName = (name: string): string => `${name}.lora_B`;

/**
 * One decoder block there and back, as two programs. First: `x` [batch · tokens, hidden] and the block's parameters → `y` like x, and what is
 * kept. Second: what was kept, the parameters, the factors and `dy` = ∂L/∂y → `dx`, and `d:name` of what is trained: of its shape, but of B
 * its transpose's.
 *
 * The parameters are those that are computed with: W' = W + scaling · B · A is added up before. ∂L/∂W' [out, in] is never made. With the layer's
 * input x and ∂L/∂y = d of its output
 *
 *     ∂L/∂B = scaling · dᵀ (x Aᵀ)        ∂L/∂A = scaling · (d B)ᵀ x
 *
 * which are products with `rank` columns. As LoRA (Hu et al. 2021) defines it, without dropout.
 */
export function buildTrainingBlock(
  config: ModelConfig,
  layout: BlockLayout,
  parts: TrainedParts,
  { batch, tokens }: TrainingShape,
): SplitGraph {
  const graph = new GraphBuilder();
  const shape = [batch * tokens, config.hidden];
  const [x, dy] = [graph.input('x', shape), graph.input('dy', shape)];
  const writer = writerOf(graph, config, layout, { batch, tokens });
  const y = familyOf(config).writeBlock(config, writer, x);
  graph.output('y', y);
  graph.output('dx', writeGradients(graph, { writer, parts, x, y }, dy));
  return splitGraph(graph.build(`${layout.variant}, trained`), (name) => name === 'y');
}

export interface TrainingModelOptions extends TrainingShape {
  /** Of each block. */
  readonly parts: readonly TrainedParts[];
  /** Of the parameters after the last block. */
  readonly headVectors: readonly string[];
  /** Rows whose logits exist at the same time. */
  readonly slice: number;
}

/**
 * The same of a whole model, as one program that keeps everything inside: `x`, `targets`, `rowWeights` and the head's parameters as
 * `buildHeadGradientGraph` has them, and of block i all inputs of {@link buildTrainingBlock} as `i:name` → `loss`, `d:name` of the head's vectors
 * and `i:d:name`. Nodes are those of the blocks' own programs, and so are the numbers, bit by bit.
 */
export function buildTrainingModel(
  config: ModelConfig,
  layouts: readonly BlockLayout[],
  { batch, tokens, parts, headVectors, slice }: TrainingModelOptions,
): Graph {
  const graph = new GraphBuilder();
  const rows = batch * tokens;
  let hidden = graph.input('x', [rows, config.hidden]);
  const written = layouts.map((layout, index) => {
    graph.prefix = `${index}:`;
    const writer = writerOf(graph, config, layout, { batch, tokens });
    const [x, y] = [hidden, familyOf(config).writeBlock(config, writer, hidden)];
    hidden = y;
    return { writer, parts: parts[index]!, x, y };
  });
  graph.prefix = '';
  let cotangent = writeHeadGradient(graph, config, hidden, {
    ...{ rows, slice, weightType: 'float32', parameters: headVectors, losses: true, accumulate: false },
  });
  for (const [index, block] of [...written.entries()].reverse()) {
    graph.prefix = `${index}:`;
    cotangent = writeGradients(graph, block, cotangent);
  }
  graph.prefix = '';
  // Nobody reads it; but what is computed for one output alone may be computed in another way, with other last bits.
  graph.output('dx', cotangent);
  return graph.build('model, trained');
}

function writerOf(graph: GraphBuilder, config: ModelConfig, layout: BlockLayout, shape: TrainingShape) {
  return new ProgramBlockWriter(graph, config, layout, {
    ...shape,
    ...{ weightType: 'float32', precision: 'float32', output: true, statistics: [] },
  });
}

interface WrittenBlock {
  readonly writer: ProgramBlockWriter;
  readonly parts: TrainedParts;
  readonly x: Value;
  readonly y: Value;
}

/** Adds the gradients of what is trained as outputs; → ∂L/∂x. */
function writeGradients(
  graph: GraphBuilder,
  { writer, parts: { factors, vectors }, x, y }: WrittenBlock,
  dy: Value,
): Value {
  const linears = factors.map(({ name }) => writer.linears.get(name)!);
  const outputs = linears.map((linear) => linear.y);
  const found = gradients(
    graph,
    [{ value: y, cotangent: dy }],
    [...outputs, ...vectors.map((name) => writer.parameter(name)), x],
  );
  writeFactorGradients(graph, factors, linears, found as Value[]);
  for (const [index, name] of vectors.entries()) graph.output(`d:${name}`, found[factors.length + index]!);
  return found.at(-1)!;
}

/** Layers that read the same are worked off together: products with few columns waste most of a kernel's width. */
function writeFactorGradients(
  graph: GraphBuilder,
  factors: readonly FactorShape[],
  linears: readonly WrittenLinear[],
  cotangents: readonly Value[],
): void {
  const readers = new Map<Value, number[]>();
  for (const [index, { x }] of linears.entries()) readers.set(x, [...(readers.get(x) ?? []), index]);
  for (const [x, group] of readers) {
    const own = group.map((index) => ({ ...factors[index]!, d: cotangents[index]! }));
    const begins = own.map((_, i) => own.slice(0, i).reduce((sum, { rank }) => sum + rank, 0));
    const downs = own.map(({ name, rank }) => graph.input(downName(name), [rank, x.shape[1]!]));
    const inner = graph.matMul(x, graph.concat(downs, 0), { transposeB: true });
    const backs = own.map(({ name, rank, scaling, d }, i) => {
      const part = graph.slice(inner, 1, begins[i]!, begins[i]! + rank);
      // The narrow operand is the one that is turned.
      graph.output(`d:${upName(name)}`, graph.matMul(part, d, { transposeA: true, scale: scaling }));
      return graph.matMul(d, graph.input(upName(name), [d.shape[1]!, rank]), { scale: scaling });
    });
    const gradient = graph.matMul(graph.concat(backs, 1), x, { transposeA: true });
    for (const [i, { name, rank }] of own.entries()) {
      graph.output(`d:${downName(name)}`, graph.slice(gradient, 0, begins[i]!, begins[i]! + rank));
    }
  }
}
