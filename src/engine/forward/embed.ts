import { EspalierError } from '../../base/errors.ts';
import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { EmbeddingLayout, Parameter } from '../families/family.ts';
import { familyOf } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import { freeBuffer } from '../runtime/freeBuffer.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { HiddenBatch } from './hiddenBatch.ts';
import { HiddenStream } from './hiddenStream.ts';
import type { ModelPrograms } from './modelPrograms.ts';
import type { Places } from './places.ts';

/** What a forward pass works on: one model and its programs at one sequence length. */
export interface ForwardInputs {
  readonly checkpoint: ModelTensors;
  readonly device: Device;
  readonly programs: ModelPrograms;
}

/** Elements of an embedding table that are read at a time: 64 MB as float32. */
const SLAB = 1 << 24;

/** Elements that cost no more to read along than another read does. */
const GAP = 1 << 14;

/**
 * Hidden states before the first block. The table is looked up on the host, a slab of rows at a time: a program would need all of
 * it as an input.
 *
 * @param sequences token ids, all of one length
 * @param places of each batch of `programs.batch` of them, where token t is not at position t
 */
export async function embed(
  { checkpoint, device, programs }: ForwardInputs,
  sequences: readonly Int32Array[],
  places: readonly Places[] = [],
): Promise<HiddenStream> {
  const { batch } = programs;
  const layout = familyOf(checkpoint.config).embedding(checkpoint.config);
  const tokens = sequences[0]!.length;
  const width = layout.table.shape[1]!;
  const groups = Array.from({ length: Math.ceil(sequences.length / batch) }, (_, i) =>
    sequences.slice(i * batch, (i + 1) * batch),
  );
  const arrays = groups.map((group) => new Float32Array(group.length * tokens * width));
  lookUp(checkpoint, layout.table, groups, arrays);
  if (layout.scale !== undefined) for (const array of arrays) multiply(array, layout.scale);
  const batches: HiddenBatch[] = [];
  for (const [index, ids] of groups.entries()) {
    const data = arrays[index]!;
    const rows = ids.length * tokens;
    const projected = layout.projection ? await project(checkpoint, device, layout.projection, data, rows) : data;
    if (layout.positions) addPositions(checkpoint, layout.positions, projected, rows, tokens, places[index]?.positions);
    const normed = layout.norm ? await normalise(checkpoint, device, layout.norm, projected, rows) : projected;
    const x = await device.upload(normed, [rows, checkpoint.config.hidden], 'float32');
    batches.push({ batch: ids.length, ids, places: places[index], x });
  }
  return new HiddenStream(device, programs, batches);
}

function lookUp(
  checkpoint: ModelTensors,
  table: Parameter,
  groups: readonly (readonly Int32Array[])[],
  arrays: readonly Float32Array[],
): void {
  const [vocabulary, width] = table.shape as [number, number];
  const runs = neededRows(groups.flat(), Math.floor(GAP / width), Math.max(1, Math.floor(SLAB / width)));
  const rows = runs.reduce((sum, { count }) => sum + count, 0);
  const slab = new Float32Array(Math.min(rows * width, Math.max(width, SLAB)));
  /** Where in the slab a table's row is; −1 where it is not. */
  const places = new Int32Array(vocabulary).fill(-1);
  let held = 0;
  const copy = (): void => {
    for (const [index, group] of groups.entries()) copyRows(group, slab, places, width, arrays[index]!);
    places.fill(-1);
    held = 0;
  };
  for (const { first, count } of runs) {
    if ((held + count) * width > slab.length) copy();
    const into = slab.subarray(held * width, (held + count) * width);
    checkpoint.readRows(table.tensor, [vocabulary, width], first, count, into);
    for (let i = 0; i < count; i++) places[first + i] = held++;
  }
  copy();
  freeBuffer(slab);
}

/** Runs of table rows that hold every token: a batch of a search needs few of a large table. */
function neededRows(
  sequences: readonly Int32Array[],
  gap: number,
  longest: number,
): { readonly first: number; readonly count: number }[] {
  const ids = new Set<number>();
  for (const sequence of sequences) for (const id of sequence) ids.add(id);
  const runs: { first: number; count: number }[] = [];
  for (const id of Uint32Array.from(ids).sort()) {
    const run = runs.at(-1);
    const count = run ? id - run.first + 1 : 1;
    if (run && count <= longest && count - run.count - 1 <= gap) run.count = count;
    else runs.push({ first: id, count: 1 });
  }
  return runs;
}

/** Copies the rows of tokens that are in the slab. */
function copyRows(
  group: readonly Int32Array[],
  slab: Float32Array,
  places: Int32Array,
  width: number,
  into: Float32Array,
): void {
  let row = 0;
  for (const ids of group) {
    for (const id of ids) {
      const place = places[id]!;
      if (place >= 0) into.set(slab.subarray(place * width, (place + 1) * width), row * width);
      row++;
    }
  }
}

function multiply(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

function addPositions(
  checkpoint: ModelTensors,
  { parameter, offset }: NonNullable<EmbeddingLayout['positions']>,
  data: Float32Array,
  rows: number,
  tokens: number,
  positions: Int32Array | undefined,
): void {
  const shape = parameter.shape as readonly [number, number];
  const length = positions ? positions.reduce((most, position) => Math.max(most, position), 0) + 1 : tokens;
  if (length + offset > shape[0]) {
    throw new EspalierError({
      code: 'settings/invalid',
      operation: 'embedding the tokens',
      expected: `a length of at most ${shape[0] - offset} tokens, the positions that the checkpoint has learned`,
      actual: `a length of ${length}`,
      remedy: 'Choose a smaller length.',
    });
  }
  const places = Int32Array.from({ length: rows }, (_, row) => offset + (positions?.[row] ?? row % tokens));
  const added = new Float32Array(data.length);
  lookUp(checkpoint, parameter, [[places]], [added]);
  for (let i = 0; i < data.length; i++) data[i]! += added[i]!;
}

/** opt-350m: [rows, width] · projectionᵀ → [rows, hidden], on the host's side of the device. */
async function project(
  checkpoint: ModelTensors,
  device: Device,
  projection: Parameter,
  data: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const [hidden, width] = projection.shape as [number, number];
  const build = (): Graph => {
    const graph = new GraphBuilder();
    graph.output('y', graph.linear(graph.input('x', [rows, width]), graph.input('projection', [hidden, width])));
    return graph.build('project_in');
  };
  const program = await device.program(`project_in ${rows}×${width}→${hidden}`, build, () => true);
  const outputs = await program.run({
    x: DeviceTensor.fromHost(data, [rows, width]),
    projection: DeviceTensor.fromHost(checkpoint.read(projection.tensor, projection.shape), projection.shape),
  });
  return outputs['y']!.floats();
}

/** BLOOM: layer norm of x [rows, hidden], on the host's side of the device. */
async function normalise(
  checkpoint: ModelTensors,
  device: Device,
  { weight, bias }: NonNullable<EmbeddingLayout['norm']>,
  data: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const { hidden, normEpsilon } = checkpoint.config;
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const [x, w, b] = [
      graph.input('x', [rows, hidden]),
      graph.input('weight', [hidden]),
      graph.input('bias', [hidden]),
    ];
    graph.output('y', graph.layerNorm(x, w, b, normEpsilon));
    return graph.build('embedding norm');
  };
  const program = await device.program(`embedding norm ${rows}×${hidden} ${normEpsilon}`, build, () => true);
  const read = ({ tensor, shape }: Parameter): DeviceTensor =>
    DeviceTensor.fromHost(checkpoint.read(tensor, shape), shape);
  const x = DeviceTensor.fromHost(data, [rows, hidden]);
  return (await program.run({ x, weight: read(weight), bias: read(bias) }))['y']!.floats();
}
