import { EspalierError } from '../../base/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/**
 * The weight itself, of the device's weight type, when all of it is finite.
 *
 * @throws EspalierError `recovery/ill-conditioned`
 */
export async function requireFinite(device: Device, weight: DeviceTensor, method: string): Promise<DeviceTensor> {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const values = graph.cast(graph.input('x', weight.shape, device.weightType), 'float32');
    // Of a number that is not finite nothing but such a number is left.
    graph.output('y', graph.reduceSum(graph.mul(values, graph.scalar(0)), [1]));
    return graph.build('finite');
  };
  const program = await device.program(`finite ${weight.shape.join('×')}`, build, () => true);
  const rows = (await program.run({ x: weight }))['y']!.floats();
  if (rows.every((value) => value === 0)) return weight;
  weight.dispose();
  throw new EspalierError({
    code: 'recovery/ill-conditioned',
    operation: `updating a weight by ${method}`,
    expected: 'finite weights',
    actual: `weights that are not finite in ${rows.filter((value) => value !== 0).length} of ${rows.length} rows`,
    remedy: 'Raise the damping, calibrate with more samples or another text, or leave the update out.',
  });
}
