import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Where the tiles of n rows or columns begin, and n: tiles are `side` wide, the last one may be narrower. */
export function tileEdges(n: number, side: number): number[] {
  return [...Array.from({ length: Math.ceil(n / side) }, (_, i) => i * side), n];
}

/** c [m, n] − Σ a·b over pairs of a [m, k] and b [k, n]; each b is given as [n, k] where `transposed`. */
export async function subtractProducts(
  device: Device,
  c: DeviceTensor,
  pairs: readonly (readonly [a: DeviceTensor, b: DeviceTensor])[],
  transposed = false,
): Promise<DeviceTensor> {
  let left = c;
  for (let begin = 0; begin < pairs.length; begin += PAIRS) {
    const some = pairs.slice(begin, begin + PAIRS);
    const depths = some.map(([a]) => a.shape[1]!);
    const build = (): Graph => subtractGraph(c.shape as [number, number], depths, transposed);
    const key = `minus ${c.shape.join('×')} ${depths.join(' ')}${transposed ? ' t' : ''}`;
    const program = await device.program(key, build, () => false);
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
  }
  return left;
}

/** a [m, k] · b [k, n], or · bᵀ with b [n, k] where `transposed`; scaled. */
export async function multiply(
  device: Device,
  a: DeviceTensor,
  b: DeviceTensor,
  { transposeA = false, transposeB = false, scale = 1 } = {},
): Promise<DeviceTensor> {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const [x, y] = [graph.input('a', a.shape), graph.input('b', b.shape)];
    graph.output('y', graph.matMul(x, y, { transposeA, transposeB, scale }));
    return graph.build('product');
  };
  const key = `product ${a.shape.join('×')} ${b.shape.join('×')} ${transposeA} ${transposeB} ${scale}`;
  const program = await device.program(key, build, () => false);
  return (await program.run({ a, b }))['y']!;
}

/** Products that one program takes: more of them spare few runs, and each number of them is a program of its own. */
const PAIRS = 8;

function subtractGraph([m, n]: readonly [number, number], depths: readonly number[], transposed: boolean): Graph {
  const graph = new GraphBuilder();
  const left = graph.input('c', [m, n]);
  const a = depths.map((k, i) => graph.input(`a${i}`, [m, k]));
  const b = depths.map((k, i) => graph.input(`b${i}`, transposed ? [n, k] : [k, n]));
  const product = graph.matMul(graph.concat(a, 1), graph.concat(b, transposed ? 1 : 0), { transposeB: transposed });
  graph.output('y', graph.sub(left, product));
  return graph.build('minus products');
}
