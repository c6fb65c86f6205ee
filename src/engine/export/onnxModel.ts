import { closeSync, fsyncSync, writeSync } from 'node:fs';
import path from 'node:path';
import { createFileSync } from '../../files/openRegular.ts';
import { writeNew } from '../../files/writeWhole.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { readParameter } from '../checkpoint/readParameter.ts';
import type { ModelConfig } from '../families/families.ts';
import { writeScaling } from '../families/blockParts.ts';
import type { RotaryPositions } from '../families/config.ts';
import type { Value } from '../graph/graph.ts';
import { allParameters, familyOf } from '../families/families.ts';
import { type BlockLayout, type BlockWriter, type Parameter, rotationOf } from '../families/family.ts';
import { alibiTable } from '../models/alibi.ts';
import { rotaryTables } from '../models/rope.ts';
import { OnnxAttention, type RotaryNames, type SequenceNames } from './onnxAttention.ts';
import { OnnxGraph, OPSET, type StoredTensor } from './onnxGraph.ts';

export const ONNX_FILE = 'model.onnx';
const WEIGHTS_FILE = 'model.onnx.data';

/** Positions that rotary tables are written for at most, where a checkpoint claims more: 64 MB with heads of 128. */
const MAX_POSITIONS = 131_072;

/** Tensor of what is added to the scores of each of the model's heads [heads, positions]. */
const ALIBI_TABLE = 'alibi';

/** Elements that are read and written at a time. */
const CHUNK = 1 << 22;

/**
 * Writes a checkpoint as an ONNX model of standard operators: `input_ids` int64 [batch, tokens] → `logits` float32 [batch, tokens,
 * vocabulary], both sizes free. Weights are float32, in a file of their own (so that 2 GB are no limit), read a part at a time.
 *
 * @param positions tokens that a sequence may have: see {@link onnxPositions}
 */
export async function writeOnnx(
  checkpoint: Checkpoint,
  folder: string,
  positions: number,
  step: (done: number, total: number) => Promise<void>,
): Promise<void> {
  const { config } = checkpoint;
  const weights = new WeightsFile(path.join(folder, WEIGHTS_FILE));
  try {
    const parameters = allParameters(config);
    for (const [index, parameter] of parameters.entries()) {
      await step(index, parameters.length);
      weights.copy(checkpoint, parameter);
    }
    if (config.positions.kind === 'alibi') {
      const { heads, kvHeads, intermediate } = config;
      const table = alibiTable(config.positions, config, { heads, kvHeads, intermediate }, positions);
      const values = new Float32Array(heads * positions);
      for (const [head, row] of table.entries()) values.set(row, head * positions);
      weights.add(ALIBI_TABLE, [heads, positions], values);
    }
    const graph = writeGraph(config, (rotation, name) => writeTables(config, rotation, name, positions, weights));
    const bytes = graph.encode(weights.stored, WEIGHTS_FILE, config.vocabulary, {
      architecture: config.architecture,
      max_tokens: String(positions),
      opset: String(OPSET),
    });
    weights.finish();
    await writeNew(path.join(folder, ONNX_FILE), bytes);
  } finally {
    weights.close();
  }
}

/**
 * Longest sequence that an exported model takes: what the checkpoint says, up to a bound, and at least `tokens`. Learned positions end
 * where their table does, and the tables of dynamic scaling hold up to the trained length.
 */
export function onnxPositions({ positions, rotations, maxPositions }: ModelConfig, tokens: number): number {
  const isDynamic = (rotation: ModelConfig['positions'] | null): boolean =>
    rotation?.kind === 'rotary' && rotation.scaling.kind === 'dynamic';
  const fixed = positions.kind === 'learned' || (rotations ?? [positions]).some(isDynamic);
  return fixed ? maxPositions : Math.max(tokens, Math.min(maxPositions, MAX_POSITIONS));
}

/** Names of the rotary tables: those of short sequences, and where it matters those of long ones. */
interface TableNames {
  readonly short: readonly [cosines: string, sines: string];
  readonly long?: { readonly names: readonly [cosines: string, sines: string]; readonly beyond: number };
}

function writeTables(
  config: ModelConfig,
  rotary: RotaryPositions,
  name: string,
  rows: number,
  weights: WeightsFile,
): TableNames {
  const write = (positions: RotaryPositions, suffix: string): readonly [string, string] => {
    const { shape, cosines, sines } = rotaryTables(positions, rows, config.maxPositions);
    weights.add(`${name}.cosines${suffix}`, shape, cosines);
    weights.add(`${name}.sines${suffix}`, shape, sines);
    return [`${name}.cosines${suffix}`, `${name}.sines${suffix}`];
  };
  const { scaling } = rotary;
  if (scaling.kind !== 'longrope' || rows <= scaling.originalPositions) return { short: write(rotary, '') };
  // The factors depend on the length of the sequence: both tables are there.
  const short = { ...rotary, scaling: { ...scaling, longFactor: scaling.shortFactor } };
  return { short: write(short, ''), long: { names: write(rotary, '.long'), beyond: scaling.originalPositions } };
}

/** @param tables writes those of a rotation under a name */
function writeGraph(config: ModelConfig, tables: (rotation: RotaryPositions, name: string) => TableNames): OnnxGraph {
  const graph = new OnnxGraph();
  const family = familyOf(config);
  const { emit } = graph;
  const size = graph.node('Shape', ['input_ids']);
  const axis = (index: number): string =>
    graph.node('Slice', [size, emit.integers([index]), emit.integers([index + 1])]);
  const [batch, tokens] = [axis(0), axis(1)];
  const added =
    config.positions.kind === 'alibi'
      ? graph.node('Slice', [ALIBI_TABLE, emit.integers([0]), tokens, emit.integers([1])])
      : undefined;
  const sequence: SequenceNames = { batch, tokens, added };
  const attention = new OnnxAttention(graph, sequence, config.headDim, config.scores);
  const written = new Map<string, RotaryNames>();
  const rotaryOf = (layout: BlockLayout): RotaryNames | undefined => {
    const rotation = rotationOf(config, layout);
    if (!rotation) return undefined;
    const key = JSON.stringify(rotation);
    const name = written.size === 0 ? 'rotary' : `rotary${written.size}`;
    const found = written.get(key) ?? rotaryNames(graph, rotation, tables(rotation, name), tokens);
    written.set(key, found);
    return found;
  };

  let x = writeEmbedding(config, graph, sequence);
  for (const [index] of config.windows.entries()) {
    const layout = family.block(config, index);
    x = family.writeBlock(config, blockWriter(graph, layout, attention, rotaryOf(layout)), x);
  }
  const { parameters, weight } = family.head(config);
  const found = weightsOf(graph, parameters);
  const final = family.writeFinal(config, { graph, parameter: (name) => found.get(name)! }, x);
  const logits = writeScaling(graph, graph.linear(final, graph.weight(weight.tensor, weight.shape)), config.logits);
  const shape = graph.node('Concat', [batch, tokens, emit.integers([config.vocabulary])], { axis: 0 });
  emit.node('Reshape', [graph.nameOf(logits), shape], {}, { output: 'logits' });
  return graph;
}

/** → [batch · tokens, hidden] */
function writeEmbedding(config: ModelConfig, graph: OnnxGraph, { batch, tokens }: SequenceNames): Value {
  const { emit } = graph;
  const { table, scale, projection, positions, norm } = familyOf(config).embedding(config);
  const flat = (x: string, width: number): string => graph.node('Reshape', [x, emit.integers([-1, width])]);
  let x = flat(graph.node('Gather', [table.tensor, 'input_ids']), table.shape[1]!);
  if (scale !== undefined) x = graph.node('Mul', [x, emit.constant('float32', [], [scale])]);
  if (projection) x = graph.node('Gemm', [x, projection.tensor], { transB: 1 });
  if (positions) {
    const offset = emit.integers([positions.offset]);
    const end = graph.node('Add', [tokens, offset]);
    const rows = graph.node('Slice', [positions.parameter.tensor, offset, end, emit.integers([0])]);
    const shape = graph.node('Concat', [batch, tokens, emit.integers([config.hidden])], { axis: 0 });
    x = flat(graph.node('Add', [graph.node('Reshape', [x, shape]), rows]), config.hidden);
  }
  const embedded = graph.rows(x, config.hidden);
  if (!norm) return embedded;
  const [weight, bias] = [norm.weight, norm.bias].map(({ tensor, shape }) => graph.weight(tensor, shape));
  return graph.layerNorm(embedded, weight!, bias, config.normEpsilon);
}

function rotaryNames(
  graph: OnnxGraph,
  { dims, interleaved = false }: RotaryPositions,
  { short, long }: TableNames,
  tokens: string,
): RotaryNames {
  const { emit } = graph;
  const beyond = long && graph.node('Greater', [tokens, emit.integers([long.beyond])]);
  const rows = (index: 0 | 1): string => {
    const cut = (table: string): string => graph.node('Slice', [table, emit.integers([0]), tokens, emit.integers([0])]);
    const table = long ? graph.node('Where', [beyond!, cut(long.names[index]), cut(short[index])]) : cut(short[index]);
    return graph.node('Unsqueeze', [table, emit.integers([0, 2])]);
  };
  return { cosines: rows(0), sines: rows(1), pairs: dims / 2, interleaved };
}

function blockWriter(
  graph: OnnxGraph,
  { shape, window, scale, parameters }: BlockLayout,
  attention: OnnxAttention,
  rotary: RotaryNames | undefined,
): BlockWriter {
  const found = weightsOf(graph, parameters);
  const parameter = (name: string): Value => found.get(name)!;
  const bias = (name: string): Value | undefined => found.get(`${name}.bias`);
  return {
    graph,
    shape,
    parameter,
    bias,
    linear: (name, x) => graph.linear(x, parameter(name), bias(name)),
    attention: (query, key, value) => {
      const names = [graph.nameOf(query), graph.nameOf(key), graph.nameOf(value)] as const;
      return graph.rows(attention.write(names, { ...shape, window, rotary, scale }), query.shape[1]!);
    },
    headsNorm: (x, weight, epsilon) => graph.rmsNorm(x, weight, epsilon),
    narrowed: (x) => x,
    channels: (x) => x,
    experts: (logits) => logits,
    addExpert(y, _, { x, chosen, weights }, write) {
      const made = graph.mul(write(graph.takeRows(x, chosen)), graph.takeRows(weights, chosen));
      return graph.addRows(y, made, chosen);
    },
  };
}

function weightsOf(graph: OnnxGraph, parameters: readonly Parameter[]): ReadonlyMap<string, Value> {
  return new Map(parameters.map(({ name, tensor, shape }) => [name, graph.weight(tensor, shape)]));
}

/** The tensors of an ONNX model one after the other, each at a multiple of 64 bytes, as float32. */
class WeightsFile {
  readonly stored: StoredTensor[] = [];
  private descriptor: number | undefined;
  private end = 0;

  constructor(file: string) {
    this.descriptor = createFileSync(file);
  }

  /** Copies a tensor of a checkpoint, some rows at a time; one that has to be turned as a whole. */
  copy(checkpoint: Checkpoint, parameter: Parameter): void {
    const { tensor, shape, transposed } = parameter;
    this.begin(tensor, shape);
    if (shape.length === 1 || transposed) {
      this.write(readParameter(checkpoint, parameter));
      return;
    }
    const [count, columns] = shape as readonly [number, number];
    const rows = Math.max(1, Math.floor(CHUNK / columns));
    for (let first = 0; first < count; first += rows) {
      this.write(checkpoint.readRows(tensor, [count, columns], first, Math.min(rows, count - first)));
    }
  }

  add(name: string, shape: readonly number[], values: Float32Array): void {
    this.begin(name, shape);
    this.write(values);
  }

  finish(): void {
    fsyncSync(this.descriptor!);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private begin(name: string, shape: readonly number[]): void {
    this.end = Math.ceil(this.end / 64) * 64;
    this.stored.push({ name, shape, offset: this.end });
  }

  private write(values: Float32Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let at = 0; at < bytes.length;) {
      const written = writeSync(this.descriptor!, bytes, at, bytes.length - at, this.end);
      at += written;
      this.end += written;
    }
  }
}
