import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Rows that come from a device together: fewer are more runs, and more that nobody asked for come along with the last ones. */
const TOGETHER = 64;

/**
 * Some rows of states [rows, hidden], one after the other: from a device those alone come.
 *
 * @param use of the i-th row that is asked for; valid during the call
 */
export async function eachState(
  device: Device,
  x: DeviceTensor,
  rows: readonly number[],
  use: (state: Float32Array, i: number) => Promise<void>,
): Promise<void> {
  const [, hidden] = x.shape as [number, number];
  if (!x.resident) {
    const states = x.floats();
    for (const [i, row] of rows.entries()) await use(states.subarray(row * hidden, (row + 1) * hidden), i);
    return;
  }
  const program = await device.program(
    `rows of states ${x.shape.join('×')}`,
    () => rowsGraph(x.shape as [number, number]),
    () => true,
  );
  for (let first = 0; first < rows.length; first += TOGETHER) {
    const asked = rows.slice(first, first + TOGETHER);
    // Places that are left over say the first row.
    const places = new Int32Array(TOGETHER);
    places.set(asked);
    const outputs = await program.run({ x, places: DeviceTensor.fromHost(places, [TOGETHER, 1]) });
    const states = outputs['y']!.floats();
    for (const i of asked.keys()) await use(states.subarray(i * hidden, (i + 1) * hidden), first + i);
  }
}

function rowsGraph([rows, hidden]: readonly [number, number]): Graph {
  const graph = new GraphBuilder();
  graph.output('y', graph.rowsAt(graph.input('x', [rows, hidden]), graph.input('places', [TOGETHER, 1], 'int32')));
  return graph.build('rows of states');
}
