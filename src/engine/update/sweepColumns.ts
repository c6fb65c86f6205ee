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

/**
 * SparseGPT's way over the columns of a weight, a panel (tile of R) at a time. It is lazy: what a panel owes to all that went before is one sum of
 * products on the device when its turn comes; within the panel it is loops in float64.
 *
 * @param weight [out, n], of the device's weight type
 * @param scale [n]: what R's inputs are multiplied with; a weight is divided by it
 * @param dead [n]: 1 for inputs that never fired, whose columns become zero
 * @returns the updated weight [out, n], zero where it goes
 */
export async function sweepColumns(
  device: Device,
  weight: DeviceTensor,
  { edges, columns: factor, diagonal }: InverseFactor,
  scale: Float32Array,
  dead: Float32Array,
  choice: MaskChoice,
  pause?: Pause,
): Promise<Float32Array> {
  const [out, n] = weight.shape as [number, number];
  const panels: (DeviceTensor | undefined)[] = await scaledPanels(device, weight, edges, scale, dead);
  // Of panels that something has been chosen in before their turn.
  const gone = new Map<number, Uint8Array>();
  const errors = new RowStack(device, n, out, 'down');
  const updated = new Float32Array(out * n);
  const columnsOf = async (i: number): Promise<Columns> => {
    const width = edges[i + 1]! - edges[i]!;
    const now = await minusProducts(device, panels[i]!, pairsOf(errors.parts(), factor[i]!.parts(errors.height)));
    const values = new Float64Array(await device.download(now));
    if (now !== panels[i]) now.dispose();
    const pivots = Float64Array.from({ length: width }, (_, j) => diagonal[i]![j * width + j]!);
    return { first: edges[i]!, width, values, pivots, gone: gone.get(i) ?? new Uint8Array(out * width) };
  };
  const free = (): void => {
    for (const panel of panels) panel?.dispose();
    errors.dispose();
  };
  for (let i = 0; i < panels.length; i++) {
    await pause?.().catch((error: unknown) => {
      free();
      throw error;
    });
    const columns = await columnsOf(i);
    const acrossPanels = choice.columns !== undefined && choice.columns > columns.width;
    if (acrossPanels && edges[i]! % choice.columns === 0) {
      const end = Math.min(edges[i]! + choice.columns, n);
      const others = edges.flatMap((edge, j) => (edge > edges[i]! && edge < end ? [j] : []));
      const block = [columns];
      for (const j of others) {
        block.push(await columnsOf(j));
        gone.set(j, block.at(-1)!.gone);
      }
      chooseTogether(block, out, choice);
    }
    const errorsHere = await eliminate(device, columns, diagonal[i]!, acrossPanels ? undefined : choice);
    await errors.write(errorsHere);
    write(updated, n, columns, scale);
    gone.delete(i);
    panels[i]!.dispose();
    panels[i] = undefined;
  }
  errors.dispose();
  return updated;
}

/** Weight / scale in panels; zero where an input never fired. */
async function scaledPanels(
  device: Device,
  weight: DeviceTensor,
  edges: readonly number[],
  scale: Float32Array,
  dead: Float32Array,
): Promise<DeviceTensor[]> {
  const [out, n] = weight.shape as [number, number];
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const whole = graph.cast(graph.input('weight', weight.shape, device.weightType), 'float32');
    const scaled = graph.mul(whole, graph.input('factor', [1, n]));
    for (const [i, begin] of edges.slice(0, -1).entries()) {
      graph.output(`y${i}`, graph.slice(scaled, 1, begin, edges[i + 1]!));
    }
    return graph.build('panels of a weight');
  };
  const program = await device.program(`panels ${out} ${edges.join(' ')}`, build, () => false);
  const factor = DeviceTensor.fromHost(
    scale.map((value, i) => (1 - dead[i]!) / value),
    [1, n],
  );
  const panels = await program.run({ weight, factor });
  return edges.slice(1).map((_, i) => panels[`y${i}`]!);
}

/** A choice over columns that lie in several panels. */
function chooseTogether(block: readonly Columns[], rows: number, choice: MaskChoice): void {
  const width = block.reduce((sum, columns) => sum + columns.width, 0);
  const joined = {
    first: block[0]!.first,
    width,
    values: new Float64Array(rows * width),
    pivots: new Float64Array(width),
    gone: new Uint8Array(rows * width),
  };
  for (const { first, width: narrow, values, pivots } of block) {
    const begin = first - joined.first;
    joined.pivots.set(pivots, begin);
    for (let row = 0; row < rows; row++) {
      joined.values.set(values.subarray(row * narrow, (row + 1) * narrow), row * width + begin);
    }
  }
  choice.choose(joined, 0, width);
  for (const { first, width: narrow, gone } of block) {
    for (let row = 0; row < rows; row++) {
      const begin = row * width + first - joined.first;
      gone.set(joined.gone.subarray(begin, begin + narrow), row * narrow);
    }
  }
}

function write(updated: Float32Array, n: number, { first, width, values, gone }: Columns, scale: Float32Array): void {
  for (let row = 0; row * width < gone.length; row++) {
    for (let j = 0; j < width; j++) {
      const at = row * width + j;
      updated[row * n + first + j] = gone[at] ? 0 : values[at]! * scale[first + j]!;
    }
  }
}
