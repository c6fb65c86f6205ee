import type { ModelConfig } from '../families/families.ts';
import { gradients } from '../graph/autodiff.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { ProgramBlockWriter, type WrittenLinear } from '../models/blockGraph.ts';
import type { BlockLayout } from '../families/family.ts';
import { familyOf } from '../families/families.ts';
import { type GradientStrip, gradientStrips } from './gradientStrips.ts';

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
  /** Most rows of a strip (see `gradientStrips`). */
  readonly stripRows: number;
}

/**
 * One decoder block backwards. Inputs: `x` and `dy` = ∂L/∂y [batch · tokens, hidden], the layout's parameters, with rotary positions
 * `cosines` and `sines`, and to accumulate `sum:strip` for each strip of a wanted parameter ({@link gradientStrips}). Outputs: `dx` like x
 * and `d:strip` like the strip; it may stand in the place of `sum:strip`, which nothing reads but the addition that makes it.
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
    const { shape } = layout.parameters.find((parameter) => parameter.name === name)!;
    const [, ...rest] = shape;
    const linear = writer.linears.get(name);
    const terms = linear ? WEIGHT_GRADIENTS[sum](graph, linear, found[index]!, batch) : () => [found[index]!];
    for (const strip of gradientStrips({ name, shape }, options.stripRows)) {
      const stripShape = [strip.end - strip.begin, ...rest];
      const parts = terms(strip).map((term) => graph.reshape(term, stripShape));
      const all = accumulate ? [graph.input(`sum:${strip.name}`, stripShape), ...parts] : parts;
      graph.output(
        `d:${strip.name}`,
        all.reduce((a, b) => graph.add(a, b)),
      );
    }
  }
  graph.output('dx', found.at(-1)!);
  return graph.build(`${layout.variant}, backwards`);
}

/** What is added up to a strip of a weight's gradient. */
type StripTerms = (strip: GradientStrip) => readonly Value[];

/** ∂L/∂W of y = x·Wᵀ from x [rows, in] and dy [rows, out], the samples' rows one after the other. */
const WEIGHT_GRADIENTS: Readonly<
  Record<GradientSum, (graph: GraphBuilder, linear: WrittenLinear, dy: Value, batch: number) => StripTerms>
> = {
  sum:
    (graph, { x }, dy) =>
    ({ begin, end }) => [graph.matMul(graph.slice(dy, 1, begin, end), x, { transposeA: true })],
  squares(graph, { x, chosen }, dy, batch) {
    // One sample's rows need not stand where they are of all.
    const placed = (value: Value): Value => (chosen && batch > 1 ? inTheirPlaces(graph, value, chosen) : value);
    const samples = (value: Value): Value[] => {
      const tokens = value.shape[0]! / batch;
      return Array.from({ length: batch }, (_, i) => graph.slice(value, 0, i * tokens, (i + 1) * tokens));
    };
    const [inputs, cotangents] = [samples(placed(x)), placed(dy)];
    return ({ begin, end }) =>
      samples(graph.slice(cotangents, 1, begin, end)).map((cotangent, i) => {
        const gradient = graph.matMul(cotangent, inputs[i]!, { transposeA: true });
        return graph.mul(gradient, gradient);
      });
  },
};

/** Rows of an expert among those of the others, which are zero: so a sample's rows stand where its are. */
function inTheirPlaces(graph: GraphBuilder, rows: Value, chosen: Value): Value {
  return graph.addRows(graph.expand(graph.constant([0], [1, 1]), rows.shape), rows, chosen);
}
