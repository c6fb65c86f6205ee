import type { Pause } from '../runtime/pause.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { type InverseFactor, pairsOf } from './inverseFactor.ts';
import { minusProducts } from './tiles.ts';
import { writeSymmetric } from './writeSymmetric.ts';

/**
 * A⁻¹ = RᵀR, [n, n], from its tiles on and above the diagonal: (A⁻¹)_ij = Σ_k (R_ki)ᵀ R_kj for k ≤ i. It is put together where it is needed: in this
 * process, or on the device.
 */
export async function inverseOf(device: Device, factor: InverseFactor, pause?: Pause): Promise<DeviceTensor> {
  const { edges, columns } = factor;
  const n = edges.at(-1)!;
  if (device.resident) return residentInverse(device, factor, pause);
  const whole = new Float32Array(n * n);
  for (const i of columns.keys()) {
    for (let j = i; j < columns.length; j++) {
      const tile = await minusTile(device, factor, i, j, pause);
      writeSymmetric(whole, n, tile.floats(), [edges[i]!, edges[j]!], columns[j]!.width, -1);
    }
  }
  return DeviceTensor.fromHost(whole, [n, n]);
}

/** −(A⁻¹)_ij */
async function minusTile(
  device: Device,
  { columns }: InverseFactor,
  i: number,
  j: number,
  pause: Pause | undefined,
): Promise<DeviceTensor> {
  await pause?.();
  const [left, right] = [columns[i]!, columns[j]!];
  const zeros = await device.zeros([left.width, right.width]);
  const tile = await minusProducts(device, zeros, pairsOf(left.parts(), right.parts(i + 1)));
  zeros.dispose();
  return tile;
}

/** Row by row of tiles: those left of the diagonal are the transposed ones above it. */
async function residentInverse(device: Device, factor: InverseFactor, pause: Pause | undefined): Promise<DeviceTensor> {
  const widths = factor.columns.map(({ width }) => width);
  const above: DeviceTensor[][] = widths.map(() => []);
  const rows: DeviceTensor[] = [];
  try {
    for (const i of widths.keys()) {
      for (let j = i; j < widths.length; j++) above[i]!.push(await minusTile(device, factor, i, j, pause));
      const tiles = widths.map((_, j) => (j < i ? above[j]![i - j]! : above[i]![j - i]!));
      rows.push(await joined(device, tiles, { axis: 1, transposed: i, negative: true }));
    }
    return await joined(device, rows, { axis: 0, transposed: 0, negative: false });
  } finally {
    for (const tensor of [...above.flat(), ...rows]) tensor.dispose();
  }
}

interface Joining {
  readonly axis: 0 | 1;
  /** How many of the first parts are. */
  readonly transposed: number;
  readonly negative: boolean;
}

async function joined(
  device: Device,
  parts: readonly DeviceTensor[],
  { axis, transposed, negative }: Joining,
): Promise<DeviceTensor> {
  const shapes = parts.map(({ shape }) => shape);
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const turned = shapes.map((shape, k) => {
      const part = graph.input(`x${k}`, shape);
      return k < transposed ? graph.transpose(part, [1, 0]) : part;
    });
    const whole = graph.concat(turned, axis);
    // An output has to be computed: of one part there is nothing to join.
    graph.output('y', negative ? graph.neg(whole) : parts.length > 1 ? whole : graph.add(whole, graph.scalar(0)));
    return graph.build('joined tiles');
  };
  const key = `joined ${axis} ${transposed} ${negative} ${shapes.map((shape) => shape.join('×')).join(' ')}`;
  const program = await device.program(key, build, () => false, true);
  return (await program.run(Object.fromEntries(parts.map((part, k) => [`x${k}`, part]))))['y']!;
}
