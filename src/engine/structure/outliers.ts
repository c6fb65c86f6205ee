import type { Step } from '../forward/step.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { sizeOf } from '../graph/shape.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { ScoringInputs } from './scorer.ts';

/**
 * Outliers of each block (OWL, Yin et al. 2024): the share of its linear layers' scores A = |W|·sqrt(X) that exceed `multiple` times their
 * mean over the block.
 *
 * @param model with the statistics of the operand X
 */
export async function outlierShares(model: ScoringInputs, multiple: number, step: Step): Promise<number[]> {
  const { device, weights, statistics } = model;
  const shares: number[] = [];
  for (const [index, { parameters }] of weights.layouts.entries()) {
    const linears = parameters.filter(({ linear }) => linear);
    const count = linears.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const block = await weights.block(index);
    /** @param threshold undefined: Σ A; else how many scores of A are above it */
    const total = async (threshold: number | undefined): Promise<number> => {
      let sum = 0;
      for (const { name, shape } of linears) {
        const program = await device.program(
          `prune outliers ${threshold === undefined ? 'sum' : 'count'} ${shape.join('×')}`,
          () => buildOutlierGraph(shape as readonly [number, number], device.weightType, threshold !== undefined),
          () => true,
        );
        const X = DeviceTensor.fromHost(statistics![index]!.get(name)!.row('X'), [1, shape[1]!]);
        const limit = DeviceTensor.fromHost(Float32Array.of(threshold ?? 0), []);
        const { rows } = await program.run({ weight: block[name]!, X, threshold: limit });
        for (const value of rows!.floats()) sum += value;
      }
      return sum;
    };
    try {
      const mean = count > 0 ? (await total(undefined)) / count : 0;
      shares.push(count > 0 ? (await total(multiple * mean)) / count : 0);
    } finally {
      weights.done(block);
    }
    await step(`counting outliers, block ${index + 1} of ${weights.layouts.length}`);
  }
  return shares;
}

/** weight [out, in], X [1, in], for a count `threshold` [] → `rows` [out, 1]: of each row the sum of A, or how many of A are above it. */
function buildOutlierGraph(
  shape: readonly [number, number],
  weightType: 'float32' | 'float16',
  counts: boolean,
): Graph {
  const graph = new GraphBuilder();
  const weight = graph.abs(graph.cast(graph.input('weight', shape, weightType), 'float32'));
  const scores = graph.mul(weight, graph.sqrt(graph.input('X', [1, shape[1]])));
  const above = (threshold: Value): Value =>
    graph.sub(graph.scalar(1), graph.cast(graph.lessOrEqual(scores, threshold), 'float32'));
  graph.output('rows', graph.reduceSum(counts ? above(graph.input('threshold', [])) : scores, [1]));
  return graph.build('outliers');
}
