import type { ModelConfig } from '../families/families.ts';
import { gradients } from '../graph/autodiff.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { ProgramBlockWriter, type WrittenLinear } from '../models/blockGraph.ts';
import type { BlockLayout } from '../families/family.ts';
import { familyOf } from '../families/families.ts';

/** How the gradients of a batch's samples become one tensor: their sum, or the sum of their squares, element by element. */
export type GradientSum = 'sum' | 'squares';

export interface BlockGradientOptions {
  readonly batch: number;
  readonly tokens: number;
  /** Type in which matrices are fed. Gradients are computed in float32 in any case. */
  readonly weightType: 'float32' | 'float16';
  readonly sum: GradientSum;
  /** Parameters whose gradient is wanted, by their input's name; for `squares` linear layers alone. */
  readonly parameters: readonly string[];
  /** Whether the gradients are added to those of the batches before. */
  readonly accumulate: boolean;
}

/**
 * One decoder block backwards. Inputs: `x` and `dy` = ∂L/∂y [batch · tokens, hidden], the layout's parameters, with rotary positions
 * `cosines` and `sines`, and to accumulate `sum:name` for each wanted parameter. Outputs: `dx` like x and `d:name` like the parameter.
 * What the block has computed on its way forward is computed again: it would take several times the room of x.
 */
export function buildBlockGradientGraph(
  config: ModelConfig,
  layout: BlockLayout,
  options: BlockGradientOptions,
): Graph {
  const { batch, tokens, weightType, sum, accumulate } = options;
  const graph = new GraphBuilder();
  const x = graph.input('x', [batch * tokens, config.hidden]);
  const dy = graph.input('dy', [batch * tokens, config.hidden]);
  const writer = new ProgramBlockWriter(graph, config, layout, {
    ...{ batch, tokens, weightType },
    ...{ precision: 'float32', output: true, statistics: [] },
  });
  const y = familyOf(config).writeBlock(config, writer, x);

  // A linear layer's weight has its gradient from the layer's input and output, so that samples can be kept apart.
  const wanted = options.parameters.map((name) => ({
    name,
    value: writer.linears.get(name)?.y ?? writer.parameter(name),
  }));
  const found = gradients(graph, [{ value: y, cotangent: dy }], [...wanted.map(({ value }) => value), x]);
  for (const [index, { name }] of wanted.entries()) {
    const gradient = found[index]!;
    const linear = writer.linears.get(name);
    const summed = linear ? WEIGHT_GRADIENTS[sum](graph, linear, gradient, batch) : gradient;
    const shaped = graph.reshape(summed, layout.parameters.find((parameter) => parameter.name === name)!.shape);
    graph.output(`d:${name}`, accumulate ? graph.add(shaped, graph.input(`sum:${name}`, shaped.shape)) : shaped);
  }
  graph.output('dx', found.at(-1)!);
  return graph.build(`${layout.variant}, backwards`);
}

/** ∂L/∂W of y = x·Wᵀ from x [rows, in] and dy [rows, out], the samples' rows one after the other. */
const WEIGHT_GRADIENTS: Readonly<
  Record<GradientSum, (graph: GraphBuilder, linear: WrittenLinear, dy: Value, batch: number) => Value>
> = {
  sum: (graph, { x }, dy) => graph.matMul(dy, x, { transposeA: true }),
  squares(graph, { x, chosen }, dy, batch) {
    if (batch === 1) {
      const gradient = graph.matMul(dy, x, { transposeA: true });
      return graph.mul(gradient, gradient);
    }
    const samples = (value: Value): Value => {
      const rows = chosen ? inTheirPlaces(graph, value, chosen) : value;
      return graph.reshape(rows, [batch, rows.shape[0]! / batch, rows.shape[1]!]);
    };
    return graph.reduceSumSquare(graph.matMul(samples(dy), samples(x), { transposeA: true }), [0]);
  },
};

/** Rows of an expert among those of the others, which are zero: so a sample's rows stand where its are. */
function inTheirPlaces(graph: GraphBuilder, rows: Value, chosen: Value): Value {
  return graph.addRows(graph.expand(graph.constant([0], [1, 1]), rows.shape), rows, chosen);
}
