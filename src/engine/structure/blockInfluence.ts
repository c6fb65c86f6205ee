import { embed } from '../forward/embed.ts';
import type { Step } from '../forward/step.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import type { GradientInputs } from '../gradient/collectGradients.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/**
 * Block influence (ShortGPT, Men et al. 2024): 1 − mean over the calibration tokens of cos(x, y), x the block's input and y its output
 * in the dense model. A block that hardly turns the hidden states has little of it.
 */
export async function blockInfluence(
  { checkpoint, device, weights, samples }: GradientInputs,
  step: Step,
): Promise<Float64Array> {
  const { layouts } = weights;
  const programs = await ModelPrograms.create(checkpoint.config, device, samples[0]!.length);
  const stream = await embed({ checkpoint, device, programs }, samples);
  const influence = new Float64Array(layouts.length);
  try {
    for (const [index, layout] of layouts.entries()) {
      let sum = 0;
      const block = await weights.block(index);
      const inputs = programs.inputs(layout, block);
      try {
        for (const batch of stream.batches) {
          const { x } = batch;
          const program = await programs.block(layout, batch.batch);
          const spare = stream.spare(batch);
          const y = (await program.run({ ...inputs, x }, spare ? { y: spare } : {}))['y']!;
          for (const cosine of await cosines(device, x, y)) sum += cosine;
          stream.replace(batch, y);
          await step(`comparing input and output, block ${index + 1} of ${layouts.length}`);
        }
      } finally {
        weights.done(block);
      }
      influence[index] = 1 - sum / samples.reduce((tokens, { length }) => tokens + length, 0);
    }
    return influence;
  } finally {
    stream.dispose();
    programs.dispose();
  }
}

/** Program runs of {@link blockInfluence}, but for the small ones. */
export function countInfluenceSteps({ weights: { layouts }, samples }: GradientInputs, batch: number): number {
  return layouts.length * Math.ceil(samples.length / batch);
}

/** Of each row of x and y, [rows, hidden] both. */
async function cosines(device: Device, x: DeviceTensor, y: DeviceTensor): Promise<Float32Array> {
  const shape = x.shape as readonly [number, number];
  const program = await device.program(
    `cosine ${shape.join('×')}`,
    () => buildCosineGraph(shape),
    () => true,
  );
  return (await program.run({ x, y }))['cosine']!.floats();
}

/** x, y [rows, hidden] → cosine [rows, 1]; 0 where one of them is 0. */
function buildCosineGraph(shape: readonly [number, number]): Graph {
  const graph = new GraphBuilder();
  const [x, y] = [graph.input('x', shape), graph.input('y', shape)];
  const dot = graph.reduceSum(graph.mul(x, y), [1]);
  const length = (of: typeof x): typeof x => graph.sqrt(graph.reduceSum(graph.mul(of, of), [1]));
  // Added to a product of lengths that is far larger wherever there is anything to compare.
  graph.output('cosine', graph.div(dot, graph.add(graph.mul(length(x), length(y)), graph.scalar(1e-30))));
  return graph.build('cosine');
}
