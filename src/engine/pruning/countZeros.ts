import { EspalierError } from '../../base/errors.ts';
import type { Parameter } from '../families/family.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph } from '../graph/graph.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { writeFinite } from './scoreGraph.ts';

/**
 * How many weights of a layer are zero after an update.
 *
 * @param weight [out, in]
 * @throws EspalierError `recovery/ill-conditioned` where weights are infinite or not a number
 */
export async function countZeros(
  device: Device,
  layer: Parameter,
  weight: DeviceTensor,
  metric: string,
): Promise<number> {
  const { shape, type } = weight;
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const x = graph.cast(graph.input('x', shape, type), 'float32');
    graph.output('zeros', graph.reduceSum(graph.cast(graph.equal(x, graph.scalar(0)), 'float32'), [1]));
    graph.output('finite', writeFinite(graph, x));
    return graph.build('zeros');
  };
  const program = await device.program(`prune zeros ${type} ${shape.join('×')}`, build, () => true);
  const outputs = await program.run({ x: weight });
  const total = (name: string): number => outputs[name]!.floats().reduce((sum, count) => sum + count, 0);
  const missing = shape[0]! * shape[1]! - total('finite');
  if (missing > 0) throw notFinite(layer, missing, metric);
  return total('zeros');
}

function notFinite({ tensor }: Parameter, missing: number, metric: string): EspalierError {
  return new EspalierError({
    code: 'recovery/ill-conditioned',
    operation: `updating ${tensor} after ${metric}`,
    expected: 'finite weights',
    actual: `${missing} that are infinite or not a number`,
    remedy: 'Use more damping, or more and longer calibration samples; with precision float16 also try float32.',
  });
}
