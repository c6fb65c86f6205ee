import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** There is a program for each shape of tiles: what they would keep from run to run is more than all that they compute. */
const ONE_OF_MANY = true;

/** c [m, n] − Σ aᵀ b over pairs of a [k, m] and b [k, n]; `c` itself where there are no pairs. */
export async function minusProducts(
  device: Device,
  c: DeviceTensor,
  pairs: readonly (readonly [a: DeviceTensor, b: DeviceTensor])[],
): Promise<DeviceTensor> {
  let left = c;
  for (let begin = 0; begin < pairs.length;) {
    // Parts of this process are long already, and to put them together would be to copy them.
    const many = device.resident ? 2 ** Math.floor(Math.log2(Math.min(pairs.length - begin, PAIRS))) : 1;
    const some = pairs.slice(begin, begin + many);
    const depths = some.map(([a]) => a.shape[0]!);
    const key = `minus ${c.shape.join('×')} ${depths.join(' ')}`;
    const build = (): Graph => minusGraph(c.shape as [number, number], depths);
    const program = await device.program(key, build, () => false, ONE_OF_MANY);
    const inputs = Object.fromEntries(
      some.flatMap(
        ([a, b], k) =>
          [
            [`a${k}`, a],
            [`b${k}`, b],
          ] as const,
      ),
    );
    const next = (await program.run({ c: left, ...inputs }))['y']!;
    if (left !== c) left.dispose();
    left = next;
    begin += many;
  }
  return left;
}

/**
 * a [m, k] · b [k, n], or aᵀ · b with a [k, m] where `transposeA`.
 *
 * @param spare is written to where it is given, [m, n] in this process
 */
export async function multiply(
  device: Device,
  a: DeviceTensor,
  b: DeviceTensor,
  { transposeA = false, spare }: { readonly transposeA?: boolean; readonly spare?: DeviceTensor | undefined } = {},
): Promise<DeviceTensor> {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    graph.output('y', graph.matMul(graph.input('a', a.shape), graph.input('b', b.shape), { transposeA }));
    return graph.build('product');
  };
  const key = `product ${a.shape.join('×')} ${b.shape.join('×')}${transposeA ? ' transposed' : ''}`;
  const program = await device.program(key, build, () => false, ONE_OF_MANY);
  return (await program.run({ a, b }, spare && { y: spare }))['y']!;
}

/** Pairs that one program takes on a device: more spare few runs, and kernels there take few inputs. */
const PAIRS = 4;

function minusGraph([m, n]: readonly [number, number], depths: readonly number[]): Graph {
  const graph = new GraphBuilder();
  const left = graph.input('c', [m, n]);
  const a = depths.map((k, i) => graph.input(`a${i}`, [k, m]));
  const b = depths.map((k, i) => graph.input(`b${i}`, [k, n]));
  graph.output('y', graph.sub(left, graph.matMul(graph.concat(a, 0), graph.concat(b, 0), { transposeA: true })));
  return graph.build('minus products');
}
