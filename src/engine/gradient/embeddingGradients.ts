import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Graph } from '../graph/graph.ts';
import type { EmbeddingLayout } from '../families/family.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Gradients of what is before the first block, each like its parameter, row-major. */
export interface EmbeddingGradients {
  /** [vocabulary, width] */
  readonly table: Float32Array;
  readonly positions?: Float32Array;
  readonly projection?: Float32Array;
}

/** The parameters before the first block; the matrices are needed where there is a projection. */
export interface EmbeddingParameters {
  readonly table: Float32Array;
  readonly projection?: Float32Array;
}

/**
 * ∂L/∂(embedding table, positions, projection) from ∂L/∂x of the first block's input: x_t = table[id_t] (· projectionᵀ) + positions[t].
 * The tables' rows are added up on the host, as they are looked up there; of a tied table this is the embedding's half.
 *
 * @param gradients ∂L/∂x [batch · tokens, hidden] of each batch, as `onInput` of the backward pass has them
 */
export async function embeddingGradients(
  device: Device,
  layout: EmbeddingLayout,
  parameters: EmbeddingParameters,
  batches: readonly { readonly ids: readonly Int32Array[] }[],
  gradients: readonly DeviceTensor[],
): Promise<EmbeddingGradients> {
  const table = zerosLike(layout.table.shape);
  const positions = layout.positions && zerosLike(layout.positions.parameter.shape);
  let projection: Float32Array | undefined;
  const width = layout.table.shape[1]!;
  for (const [i, { ids }] of batches.entries()) {
    const dx = await device.download(gradients[i]!);
    if (positions) addPositions(positions, dx, layout.positions.offset, ids);
    let rows = dx;
    if (layout.projection) {
      const passed = await throughProjection(device, layout, parameters, ids, dx);
      rows = passed.rows;
      projection = projection ? add(projection, passed.projection) : passed.projection;
    }
    ids
      .flatMap((sequence) => [...sequence])
      .forEach((id, row) => {
        for (let j = 0; j < width; j++) table[id * width + j]! += rows[row * width + j]!;
      });
  }
  return { table, ...(positions && { positions }), ...(projection && { projection }) };
}

function zerosLike(shape: readonly number[]): Float32Array {
  return new Float32Array(shape.reduce((product, size) => product * size, 1));
}

function addPositions(positions: Float32Array, dx: Float32Array, offset: number, ids: readonly Int32Array[]): void {
  const tokens = ids[0]!.length;
  const hidden = dx.length / (ids.length * tokens);
  for (let at = 0; at < dx.length; at++) {
    const token = Math.floor(at / hidden) % tokens;
    positions[(token + offset) * hidden + (at % hidden)]! += dx[at]!;
  }
}

/** x = e · Pᵀ with e the looked-up rows: ∂L/∂e = dx · P and ∂L/∂P = dxᵀ · e. */
async function throughProjection(
  device: Device,
  layout: EmbeddingLayout,
  { table, projection }: EmbeddingParameters,
  ids: readonly Int32Array[],
  dx: Float32Array,
): Promise<{ rows: Float32Array; projection: Float32Array }> {
  const [hidden, width] = layout.projection!.shape as [number, number];
  const rows = dx.length / hidden;
  const looked = new Float32Array(rows * width);
  ids
    .flatMap((sequence) => [...sequence])
    .forEach((id, row) => {
      looked.set(table.subarray(id * width, (id + 1) * width), row * width);
    });
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const [d, e] = [graph.input('d', [rows, hidden]), graph.input('e', [rows, width])];
    graph.output('rows', graph.matMul(d, graph.input('projection', [hidden, width])));
    graph.output('gradient', graph.matMul(d, e, { transposeA: true }));
    return graph.build('project_in, backwards');
  };
  const program = await device.program(`gradient project_in ${rows}×${width}→${hidden}`, build, () => true);
  const outputs = await program.run({
    d: DeviceTensor.fromHost(dx, [rows, hidden]),
    e: DeviceTensor.fromHost(looked, [rows, width]),
    projection: DeviceTensor.fromHost(projection!, [hidden, width]),
  });
  return { rows: outputs['rows']!.floats(), projection: outputs['gradient']!.floats() };
}

function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]!);
}
