import { stripShapes } from '../graph/gramStrips.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { writeSymmetric } from './writeSymmetric.ts';

/** H [n, n] of its strips. In this process there is nothing beside them but H. */
export async function wholeGram(device: Device, n: number, strips: readonly DeviceTensor[]): Promise<DeviceTensor> {
  if (!device.resident) {
    const whole = new Float32Array(n * n);
    for (const strip of strips) {
      const [, columns] = strip.shape as [number, number];
      writeSymmetric(whole, n, strip.floats(), [n - columns, n - columns], columns, 1);
    }
    return DeviceTensor.fromHost(whole, [n, n]);
  }
  const program = await device.program(
    `whole of strips ${n}`,
    () => wholeGraph(n),
    () => false,
    true,
  );
  return (await program.run(Object.fromEntries(strips.map((strip, i) => [`x${i}`, strip]))))['y']!;
}

function wholeGraph(n: number): Graph {
  const graph = new GraphBuilder();
  const strips = stripShapes(n).map((shape, i) => graph.input(`x${i}`, shape));
  const rows = strips.map((strip, i) => {
    const begin = n - strip.shape[1]!;
    const mirrored = strips.slice(0, i).map((above) => {
      const from = begin - (n - above.shape[1]!);
      return graph.transpose(graph.slice(above, 1, from, from + strip.shape[0]!), [1, 0]);
    });
    return mirrored.length > 0 ? graph.concat([...mirrored, strip], 1) : strip;
  });
  graph.output('y', rows.length > 1 ? graph.concat(rows, 0) : rows[0]!);
  return graph.build('whole of strips');
}
