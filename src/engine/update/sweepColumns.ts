import { type InverseFactor, pairsOf } from '../algebra/inverseFactor.ts';
import { RowStack } from '../algebra/rowStack.ts';
import { minusProducts } from '../algebra/tiles.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { eliminate } from './eliminate.ts';
import type { Columns, MaskChoice } from './maskChoice.ts';

/** What SparseGPT goes over. */
export interface Swept {
  /** [out, n], of the device's weight type. */
  readonly weight: DeviceTensor;
  readonly factor: InverseFactor;
  /** [n]: what R's inputs are multiplied with; a weight is divided by it. */
  readonly scale: Float32Array;
  /** [n]: 1 for inputs that never fired, whose columns become zero. */
  readonly dead: Float32Array;
  /** What goes is zero in a weight that was pruned before, like `weight`; or it is chosen on the way. */
  readonly mask: DeviceTensor | MaskChoice;
}

/**
 * SparseGPT's way over the columns of a weight, a panel (tile of R) at a time. It is lazy: what a panel owes to all that went before is one sum of
 * products on the device when its turn comes. Panels lie column after column.
 *
 * @returns the updated weight, of the device's weight type, zero where it goes
 */
export async function sweepColumns(device: Device, swept: Swept, pause?: Pause): Promise<DeviceTensor> {
  const { weight, mask } = swept;
  const { edges, columns: factor, diagonal } = swept.factor;
  const [out, n] = weight.shape as [number, number];
  const choice = mask instanceof DeviceTensor ? undefined : mask;
  const errors = new RowStack(device, n, out, 'down');
  const updated: DeviceTensor[] = [];
  // Of panels that something has been chosen in before their turn.
  const chosen = new Map<number, Float32Array>();
  const columnsOf = async (i: number): Promise<Columns> => {
    const width = edges[i + 1]! - edges[i]!;
    const { panel, gone } = await readPanel(device, swept, edges[i]!, edges[i + 1]!);
    const now = await minusProducts(device, panel, pairsOf(factor[i]!.parts(errors.height), errors.parts()));
    const values = await device.download(now);
    for (const tensor of new Set([panel, now])) tensor.dispose();
    const pivots = Float32Array.from({ length: width }, (_, j) => diagonal[i]![j * width + j]!);
    return { rows: out, width, values, pivots, gone: gone ?? chosen.get(i) ?? new Float32Array(width * out) };
  };
  try {
    for (let i = 0; i + 1 < edges.length; i++) {
      await pause?.();
      const columns = await columnsOf(i);
      const acrossPanels = choice !== undefined && choice.columns > columns.width;
      if (acrossPanels && edges[i]! % choice.columns === 0) {
        const end = Math.min(edges[i]! + choice.columns, n);
        const others = edges.flatMap((edge, j) => (edge > edges[i]! && edge < end ? [j] : []));
        const block = [columns];
        for (const j of others) {
          block.push(await columnsOf(j));
          chosen.set(j, block.at(-1)!.gone);
        }
        chooseTogether(block, choice);
      }
      const space = errors.space(columns.width) ?? DeviceTensor.empty([columns.width, out]);
      await eliminate(device, columns, diagonal[i]!, space.floats(), acrossPanels ? undefined : choice);
      errors.push(device.resident ? await device.upload(space.floats(), space.shape, 'float32') : space);
      updated.push(DeviceTensor.fromHost(columns.values, [columns.width, out]));
      chosen.delete(i);
    }
    return await writeBack(device, updated, swept.scale);
  } finally {
    errors.dispose();
  }
}

/** The columns `begin` to `end` of the weight, divided by the scale; zero where an input never fired. @returns [end − begin, out], as is what goes */
async function readPanel(
  device: Device,
  { weight, scale, dead, mask }: Swept,
  begin: number,
  end: number,
): Promise<{ readonly panel: DeviceTensor; readonly gone: Float32Array | undefined }> {
  const [out, n] = weight.shape as [number, number];
  const given = mask instanceof DeviceTensor;
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const columnsOf = (name: string) => {
      const cut = graph.slice(graph.input(name, weight.shape, device.weightType), 1, begin, end);
      return graph.transpose(graph.cast(cut, 'float32'), [1, 0]);
    };
    graph.output('panel', graph.mul(columnsOf('weight'), graph.input('factor', [end - begin, 1])));
    if (given) graph.output('gone', graph.cast(graph.equal(columnsOf('pruned'), graph.scalar(0)), 'float32'));
    return graph.build('panel of a weight');
  };
  const key = `panel ${out}×${n} ${begin} ${end}${given ? ' pruned' : ''}`;
  const program = await device.program(key, build, (name) => name === 'gone', true);
  const factors = scale.subarray(begin, end).map((value, i) => (1 - dead[begin + i]!) / value);
  const factor = DeviceTensor.fromHost(factors, [end - begin, 1]);
  const { panel, gone } = await program.run({ weight, factor, ...(given && { pruned: mask }) });
  return { panel: panel!, gone: gone?.floats() };
}

/** Panels [width, out] as a weight [out, n], multiplied with the scale. */
async function writeBack(device: Device, panels: readonly DeviceTensor[], scale: Float32Array): Promise<DeviceTensor> {
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const parts = panels.map(({ shape }, i) => graph.input(`x${i}`, shape));
    const whole = graph.transpose(graph.concat(parts, 0), [1, 0]);
    graph.output('y', graph.cast(graph.mul(whole, graph.input('scale', [1, scale.length])), device.weightType));
    return graph.build('weight of panels');
  };
  const key = `weight of panels ${panels.map(({ shape }) => shape.join('×')).join(' ')}`;
  const program = await device.program(key, build, () => false, true);
  const inputs = Object.fromEntries(panels.map((panel, i) => [`x${i}`, panel]));
  return (await program.run({ ...inputs, scale: DeviceTensor.fromHost(scale, [1, scale.length]) }))['y']!;
}

/** A choice over columns that lie in several panels. */
function chooseTogether(block: readonly Columns[], choice: MaskChoice): void {
  const [{ rows }] = block as [Columns];
  const width = block.reduce((sum, columns) => sum + columns.width, 0);
  const joined = {
    ...{ rows, width, pivots: new Float32Array(width) },
    ...{ values: new Float32Array(width * rows), gone: new Float32Array(width * rows) },
  };
  let begin = 0;
  for (const columns of block) {
    joined.pivots.set(columns.pivots, begin);
    joined.values.set(columns.values, begin * rows);
    begin += columns.width;
  }
  choice.choose(joined, 0, width);
  begin = 0;
  for (const columns of block) {
    columns.gone.set(joined.gone.subarray(begin * rows, (begin + columns.width) * rows));
    begin += columns.width;
  }
}
