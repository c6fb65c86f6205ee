import { EspalierError } from '../../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { type EmbeddingLayout, familyOf, type Parameter } from '../models/model.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { type HiddenBatch, HiddenStream } from './hiddenStream.ts';
import type { ModelPrograms } from './modelPrograms.ts';

/** What a forward pass works on: one model and its programs at one sequence length. */
export interface ForwardInputs {
  readonly checkpoint: Checkpoint;
  readonly device: Device;
  readonly programs: ModelPrograms;
}

/** Elements of an embedding table that are read at a time: 64 MB as float32. */
const SLAB = 1 << 24;

/**
 * Hidden states before the first block. The table is looked up on the host, a slab of rows at a time: a program would need all of
 * it as an input.
 *
 * @param sequences token ids, all of one length
 */
export async function embed(
  { checkpoint, device, programs }: ForwardInputs,
  sequences: readonly Int32Array[],
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
  const batches: HiddenBatch[] = [];
  for (const [index, ids] of groups.entries()) {
    const data = arrays[index]!;
    const rows = ids.length * tokens;
    const projected = layout.projection ? await project(checkpoint, device, layout.projection, data, rows) : data;
    if (layout.positions) addPositions(checkpoint, layout.positions, projected, tokens);
    const x = await device.upload(projected, [rows, checkpoint.config.hidden], 'float32');
    batches.push({ batch: ids.length, ids, x });
  }
  return new HiddenStream(device, programs, batches);
}

function lookUp(
  checkpoint: Checkpoint,
  table: Parameter,
  groups: readonly (readonly Int32Array[])[],
  arrays: readonly Float32Array[],
): void {
  const [vocabulary, width] = table.shape as [number, number];
  const slabRows = Math.max(1, Math.min(vocabulary, Math.floor(SLAB / width)));
  const slab = new Float32Array(slabRows * width);
  for (let first = 0; first < vocabulary; first += slabRows) {
    const count = Math.min(slabRows, vocabulary - first);
    checkpoint.readRows(table.tensor, [vocabulary, width], first, count, slab.subarray(0, count * width));
    for (const [index, group] of groups.entries()) copyRows(group, slab, first, count, width, arrays[index]!);
  }
}

/** Copies the rows of tokens that lie in the slab of table rows `first … first + count − 1`. */
function copyRows(
  group: readonly Int32Array[],
  slab: Float32Array,
  first: number,
  count: number,
  width: number,
  into: Float32Array,
): void {
  let row = 0;
  for (const ids of group) {
    for (const id of ids) {
      const local = id - first;
      if (local >= 0 && local < count) into.set(slab.subarray(local * width, (local + 1) * width), row * width);
      row++;
    }
  }
}

function addPositions(
  checkpoint: Checkpoint,
  { parameter, offset }: NonNullable<EmbeddingLayout['positions']>,
  data: Float32Array,
  tokens: number,
): void {
  const shape = parameter.shape as readonly [number, number];
  if (tokens + offset > shape[0]) {
    throw new EspalierError({
      code: 'settings/invalid',
      operation: 'embedding the tokens',
      expected: `a length of at most ${shape[0] - offset} tokens, the positions that the checkpoint has learned`,
      actual: `a length of ${tokens}`,
      remedy: 'Choose a smaller length.',
    });
  }
  const table = checkpoint.readRows(parameter.tensor, shape, offset, tokens);
  for (let begin = 0; begin < data.length; begin += table.length) {
    for (let i = 0; i < table.length; i++) data[begin + i]! += table[i]!;
  }
}

/** opt-350m: [rows, width] · projectionᵀ → [rows, hidden], on the host's side of the device. */
async function project(
  checkpoint: Checkpoint,
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
