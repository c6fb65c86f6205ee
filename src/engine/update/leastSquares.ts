import { diagonalOf } from '../algebra/dampedGram.ts';
import { factorGram } from '../algebra/factorGram.ts';
import type { Gram } from '../algebra/gram.ts';
import { inverseOf } from '../algebra/inverseOf.ts';
import { tileEdges } from '../algebra/rowStack.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device, Program } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { requireFinite } from './requireFinite.ts';
import { byRows } from './rowChunks.ts';

/**
 * The output projection refitted on the columns that stay, to what the whole one gave: W' = (W H[:, S] + λ W[:, S]) (H[S, S] + λ I)⁻¹ with
 * λ = damping · mean diag(H). It is computed as W[:, S] + W[:, gone] H[gone, S] (H[S, S] + λ I)⁻¹, which is the same, so that only the change is rounded.
 *
 * @param weight [out, in], of the device's weight type
 * @param kept [in]: 1 for the columns S that stay
 * @returns the new weight, of the device's weight type, zero in the other columns; and the damping that it took
 * @throws EspalierError `recovery/ill-conditioned`
 */
export async function leastSquares(
  device: Device,
  weight: DeviceTensor,
  gram: Gram,
  kept: Uint8Array,
  asked: number,
  pause?: Pause,
): Promise<{ readonly weight: DeviceTensor; readonly damping: number }> {
  const n = gram.size;
  const diagonal = await diagonalOf(device, gram);
  const mean = diagonal.reduce((sum, value) => sum + value, 0) / n;
  // Where nothing ever fired any λ leaves the weights as they are.
  const unit = mean === 0 ? 1 : mean;
  const scale = new Float32Array(n);
  // Columns that go are cut off by a scale of 0 and stand apart with a diagonal of 1.
  const damp = (tried: number) => {
    const lambda = tried * unit;
    kept.forEach((keep, i) => (scale[i] = keep ? 1 / Math.sqrt(diagonal[i]! + lambda || 1) : 0));
    const shift = Float32Array.from(kept, (keep, i) => (keep ? lambda * scale[i]! ** 2 : 1));
    return { gram, scale, shift };
  };
  const { factor, damping } = await factorGram(device, asked, tileEdges(n), damp, pause);
  const inverse = await inverseOf(device, factor, pause).finally(() => {
    factor.dispose();
  });
  const rows = {
    kept: DeviceTensor.fromHost(Float32Array.from(kept), [1, n]),
    scale: DeviceTensor.fromHost(scale, [1, n]),
  };
  const program = (height: number): Promise<Program> =>
    device.program(
      `least squares ${height}×${n}`,
      () => refitGraph(height, n, device.weightType),
      () => false,
    );
  const refitted = await byRows(device, [weight.shape[0]!, n], async (rowsOf) => {
    const some = rowsOf(weight);
    const inputs = { weight: some, sums: gram.sums, inverse, ...rows };
    return (await (await program(some.shape[0]!)).run(inputs))['updated']!;
  });
  inverse.dispose();
  return { weight: await requireFinite(device, refitted, 'least squares'), damping };
}

function refitGraph(out: number, n: number, type: Device['weightType']): Graph {
  const graph = new GraphBuilder();
  const weight = graph.cast(graph.input('weight', [out, n], type), 'float32');
  const scale = graph.input('scale', [1, n]);
  const staying = graph.mul(weight, graph.input('kept', [1, n]));
  const lost = graph.matMul(graph.sub(weight, staying), graph.input('sums', [n, n]));
  const made = graph.matMul(graph.mul(lost, scale), graph.input('inverse', [n, n]));
  graph.output('updated', graph.cast(graph.add(staying, graph.mul(made, scale)), type));
  return graph.build('least squares');
}
