import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Gram } from './gram.ts';
import { tileEdges } from './tiles.ts';

/** A = D H D + diag(shift) with D = diag(scale): a Gram matrix on scaled inputs, damped. */
export interface DampedGram {
  readonly gram: Gram;
  /** [n] */
  readonly scale: Float32Array;
  /** [n] */
  readonly shift: Float32Array;
}

/** The diagonal of H, [n]. */
export async function diagonalOf(device: Device, { size, sums }: Gram): Promise<Float32Array> {
  if (!sums.resident) {
    const values = sums.floats();
    return Float32Array.from({ length: size }, (_, i) => values[i * size + i]!);
  }
  const edges = tileEdges(size, SIDE);
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const h = graph.input('sums', [size, size]);
    const parts = edges.slice(1).map((end, i) => {
      const begin = edges[i]!;
      const tile = graph.slice(graph.slice(h, 0, begin, end), 1, begin, end);
      return graph.reduceSum(graph.mul(tile, identity(graph, end - begin)), [0]);
    });
    graph.output('y', graph.concat(parts, 1));
    return graph.build('diagonal');
  };
  const program = await device.program(`diagonal ${size}`, build, () => true);
  return (await program.run({ sums }))['y']!.floats();
}

/** Tiles of A: those of column `i`, from the top to the diagonal. */
export async function columnTiles(
  device: Device,
  { gram: { size, sums }, scale, shift }: DampedGram,
  edges: readonly number[],
  i: number,
): Promise<DeviceTensor[]> {
  const [begin, end] = [edges[i]!, edges[i + 1]!];
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const h = graph.slice(graph.input('sums', [size, size]), 1, begin, end);
    const [left, right] = [graph.input('rows', [size, 1]), graph.input('columns', [1, end - begin])];
    const diagonal = graph.mul(identity(graph, end - begin), graph.input('shift', [1, end - begin]));
    for (let j = 0; j <= i; j++) {
      const part = (x: typeof h): typeof h => graph.slice(x, 0, edges[j]!, edges[j + 1]!);
      const tile = graph.mul(graph.mul(part(h), part(left)), right);
      graph.output(`y${j}`, j === i ? graph.add(tile, diagonal) : tile);
    }
    return graph.build('tiles of a Gram matrix');
  };
  const program = await device.program(`tiles ${size} ${edges.slice(0, i + 2).join(' ')}`, build, () => false);
  const host = (values: Float32Array, shape: readonly [number, number]): DeviceTensor =>
    DeviceTensor.fromHost(values, shape);
  const tiles = await program.run({
    sums,
    rows: host(scale, [size, 1]),
    columns: host(scale.subarray(begin, end), [1, end - begin]),
    shift: host(shift.subarray(begin, end), [1, end - begin]),
  });
  return Array.from({ length: i + 1 }, (_, j) => tiles[`y${j}`]!);
}

/** Of what is read of the diagonal at a time. */
const SIDE = 512;

function identity(graph: GraphBuilder, n: number): ReturnType<GraphBuilder['input']> {
  const ones = Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  return graph.constant(ones, [n, n]);
}
