import { diagonalOf } from '../algebra/dampedGram.ts';
import { factorGram } from '../algebra/factorGram.ts';
import type { Gram } from '../algebra/gram.ts';
import { inverseOf } from '../algebra/inverseOf.ts';
import { tileEdges } from '../algebra/rowStack.ts';
import { multiply } from '../algebra/tiles.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';

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
): Promise<{ readonly weight: DeviceTensor; readonly damping: number }> {
  const [out, n] = weight.shape as [number, number];
  const diagonal = await diagonalOf(device, gram);
  const mean = diagonal.reduce((sum, value) => sum + value, 0) / n;
  // Where nothing ever fired any λ leaves the weights as they are.
  const unit = mean === 0 ? 1 : mean;
  const scale = new Float32Array(n);
  // Columns that go are cut off by a scale of 0 and stand apart with a diagonal of 1.
  const { factor, damping } = await factorGram(device, asked, tileEdges(n), (tried) => {
    const lambda = tried * unit;
    kept.forEach((keep, i) => (scale[i] = keep ? 1 / Math.sqrt(diagonal[i]! + lambda || 1) : 0));
    const shift = Float32Array.from(kept, (keep, i) => (keep ? lambda * scale[i]! ** 2 : 1));
    return { gram, scale, shift };
  });
  const inverse = await inverseOf(device, factor);
  factor.dispose();
  const rows = {
    kept: DeviceTensor.fromHost(Float32Array.from(kept), [1, n]),
    scale: DeviceTensor.fromHost(scale, [1, n]),
  };
  const { gone, staying } = await (await beginProgram(device, out, n)).run({ weight, ...rows });
  const answer = await multiply(device, gone!, gram.sums);
  const { scaled } = await (await scaleProgram(device, out, n)).run({ answer, ...rows });
  const solved = await multiply(device, scaled!, inverse);
  const { updated } = await (await endProgram(device, out, n)).run({ solved, staying: staying!, ...rows });
  for (const tensor of [inverse, gone!, staying!, answer, scaled!, solved]) tensor.dispose();
  return { weight: updated!, damping };
}

function beginProgram(device: Device, out: number, n: number) {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const weight = graph.cast(graph.input('weight', [out, n], device.weightType), 'float32');
    const staying = graph.mul(weight, graph.input('kept', [1, n]));
    graph.output('staying', staying);
    graph.output('gone', graph.sub(weight, staying));
    return graph.build('least squares begin');
  };
  return device.program(`least squares begin ${out}×${n}`, build, () => false);
}

function scaleProgram(device: Device, out: number, n: number) {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    graph.output('scaled', graph.mul(graph.input('answer', [out, n]), graph.input('scale', [1, n])));
    return graph.build('least squares scale');
  };
  return device.program(`least squares scale ${out}×${n}`, build, () => false);
}

function endProgram(device: Device, out: number, n: number) {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const change = graph.mul(graph.input('solved', [out, n]), graph.input('scale', [1, n]));
    graph.output('updated', graph.cast(graph.add(graph.input('staying', [out, n]), change), device.weightType));
    return graph.build('least squares end');
  };
  return device.program(`least squares end ${out}×${n}`, build, () => false);
}
