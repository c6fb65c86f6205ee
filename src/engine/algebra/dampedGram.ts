import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Gram } from './gram.ts';

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
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const elements = graph.reshape(graph.input('sums', [size, size]), [size * size, 1]);
    graph.output('y', graph.rowsAt(elements, graph.input('places', [size, 1], 'int32')));
    return graph.build('diagonal');
  };
  const program = await device.program(`diagonal ${size}`, build, () => true);
  const places = DeviceTensor.fromHost(
    Int32Array.from({ length: size }, (_, i) => i * size + i),
    [size, 1],
  );
  return (await program.run({ sums, places }))['y']!.floats();
}

/**
 * Tiles of D H D in row `i` of tiles, from the left to the diagonal.
 *
 * @param edges where tiles begin, and n
 */
export async function scaledTiles(
  device: Device,
  { gram: { size, sums }, scale }: DampedGram,
  edges: readonly number[],
  i: number,
): Promise<DeviceTensor[]> {
  const [begin, end] = [edges[i]!, edges[i + 1]!];
  const rows = await rowsOf(device, sums, begin, end);
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const scaled = graph.mul(graph.input('rows', [end - begin, size]), graph.input('left', [end - begin, 1]));
    const whole = graph.mul(scaled, graph.input('right', [1, size]));
    edges.slice(1).forEach((edge, j) => {
      graph.output(`y${j}`, graph.slice(whole, 1, edges[j]!, edge));
    });
    return graph.build('tiles of a Gram matrix');
  };
  const program = await device.program(`tiles ${end - begin} ${edges.join(' ')}`, build, () => false);
  const tiles = await program.run({
    rows,
    left: DeviceTensor.fromHost(scale.subarray(begin, end), [end - begin, 1]),
    right: DeviceTensor.fromHost(scale, [1, size]),
  });
  if (rows !== sums) rows.dispose();
  edges.slice(i + 2).forEach((_, j) => {
    tiles[`y${i + 1 + j}`]!.dispose();
  });
  return Array.from({ length: i + 1 }, (_, j) => tiles[`y${j}`]!);
}

/** Rows of a matrix [n, n]; in this process they share its array. */
async function rowsOf(device: Device, matrix: DeviceTensor, begin: number, end: number): Promise<DeviceTensor> {
  const [n] = matrix.shape as [number, number];
  if (!matrix.resident) return DeviceTensor.fromHost(matrix.floats().subarray(begin * n, end * n), [end - begin, n]);
  const build = (): Graph => {
    const graph = new GraphBuilder();
    graph.output('y', graph.cast(graph.slice(graph.input('x', [n, n]), 0, begin, end), 'float32'));
    return graph.build('rows');
  };
  const program = await device.program(`rows ${n} ${begin} ${end}`, build, () => false);
  return (await program.run({ x: matrix }))['y']!;
}
