import type { ModelConfig } from '../families/families.ts';
import { type BlockGraphOptions, buildBlockGraph } from '../models/blockGraph.ts';
import { buildDivergenceGraph, buildHeadGraph } from '../models/headGraph.ts';
import { type BlockLayout, rotationOf } from '../families/family.ts';
import { keyOf, placedTables, type PlacedTables } from './placedTables.ts';
import type { Places } from './places.ts';
import { ResidentPlaces } from './residentPlaces.ts';
import { rotaryTables } from '../models/rope.ts';
import type { Device, Program } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Weights } from './blockWeights.ts';
import type { HiddenBatch } from './hiddenBatch.ts';

/**
 * Rows (tokens) that go through the network together: enough to keep every core busy, few enough to stay in the cache. Elsewhere more, as
 * a device that holds no tensors between runs (CUDA) is sent a block's weights with each batch.
 */
const ROWS = { cpu: 1024, elsewhere: 4096 };

/** Elements of logits that exist at the same time. */
export const LOGITS = { host: 1 << 20, resident: 1 << 26 };

/** What a block program gives and takes beside the hidden states. */
type BlockOptions = {
  readonly [
    Name in 'output' | 'statistics' | 'grams' | 'masking' | 'activations' | 'attending' | 'past' | 'narrowed'
  ]?: BlockGraphOptions[Name] | undefined;
};

/** The programs of one model at one sequence length on one device, compiled when first needed. */
export class ModelPrograms {
  /** Sequences to a batch. */
  readonly batch: number;
  private readonly config: ModelConfig;
  private readonly device: Device;
  private readonly tokens: number;
  /** `cosines` and `sines` of each rotation, by its {@link keyOf}. */
  private readonly rotary: ReadonlyMap<string, Weights>;
  /** Rotary tables that {@link placed} has gathered from. */
  private readonly tables: PlacedTables = new Map();
  private readonly residentPlaces: ResidentPlaces;
  /** Programs depend on the config alone: two checkpoints of one shape share them. */
  private readonly shape: string;

  private constructor(
    config: ModelConfig,
    device: Device,
    tokens: number,
    batch: number,
    rotary: ReadonlyMap<string, Weights>,
  ) {
    this.config = config;
    this.device = device;
    this.tokens = tokens;
    this.rotary = rotary;
    this.residentPlaces = new ResidentPlaces(config, device);
    this.shape = JSON.stringify(config);
    this.batch = batch;
  }

  /** @param batch sequences to a batch */
  static async create(
    config: ModelConfig,
    device: Device,
    tokens: number,
    batch = sequencesPerBatch(device, tokens),
  ): Promise<ModelPrograms> {
    const rotary = new Map<string, Weights>();
    for (const rotation of config.rotations ?? [config.positions]) {
      if (rotation?.kind !== 'rotary' || rotary.has(keyOf(rotation))) continue;
      const tables = rotaryTables(rotation, tokens, config.maxPositions);
      rotary.set(keyOf(rotation), {
        cosines: await device.upload(tables.cosines, tables.shape, 'float32'),
        sines: await device.upload(tables.sines, tables.shape, 'float32'),
      });
    }
    return new ModelPrograms(config, device, tokens, batch, rotary);
  }

  dispose(): void {
    for (const tables of this.rotary.values()) for (const table of Object.values(tables)) table.dispose();
    this.residentPlaces.dispose();
  }

  /** Inputs of a block program beside the hidden states. */
  inputs(layout: BlockLayout, weights: Weights): Weights {
    const rotation = rotationOf(this.config, layout);
    return { ...weights, ...(rotation && this.rotary.get(keyOf(rotation))) };
  }

  /**
   * Inputs of a block program with `attending: 'masked'` beside those of {@link inputs}, whose rotary tables they replace. They are the caller's
   * to dispose of. A block without heads has none.
   */
  async placed(layout: BlockLayout, places: Places): Promise<Weights> {
    const { config, device } = this;
    if (layout.shape.heads === 0) return {};
    if (device.resident) return this.residentPlaces.make(layout, places, this.tokens);
    const tables = placedTables(config, layout, places, this.tables);
    const uploaded: Record<string, DeviceTensor> = {};
    for (const [name, { data, shape }] of Object.entries(tables)) {
      uploaded[name] = await device.upload(data, shape, 'float32');
    }
    return uploaded;
  }

  /** The block program for batches of `batch` sequences. Without `output` it only observes. */
  block(
    layout: BlockLayout,
    batch: number,
    {
      output = true,
      statistics = [],
      grams = [],
      masking = 'none',
      activations = false,
      attending = 'causal',
      past,
      narrowed,
    }: BlockOptions = {},
  ): Promise<Program> {
    const { config, device, tokens } = this;
    const { precision, weightType } = device;
    const observed = [...statistics, ...grams.map((input) => `gram:${input}`), ...(activations ? ['activations'] : [])];
    const outputs = [...(output ? ['y'] : []), ...observed].join(',');
    const key = `${this.shape} ${layout.variant} ${batch}×${tokens} ${outputs} ${masking} ${attending} ${past} ${narrowed}`;
    const options = {
      ...{ batch, tokens, precision, weightType, output, statistics, grams, masking, activations, attending },
      ...(past !== undefined && { past }),
      ...(narrowed !== undefined && { narrowed }),
    };
    return device.program(
      key,
      () => buildBlockGraph(config, layout, options),
      (name) => name !== 'y' && !name.startsWith('gram:') && !name.startsWith('new.'),
      // Of the last block, once.
      narrowed !== undefined || config.blocks !== undefined || gramBytes(layout, grams) > HELD,
    );
  }

  /** Sums of the cross-entropies of every sequence's next tokens, in the order of `batch.ids`. */
  async losses(batch: HiddenBatch, weights: Weights): Promise<number[]> {
    const { tokens } = this;
    const losses = await this.rowLosses(batch, weights);
    return batch.ids.map((_, i) => sumOf(losses.subarray(i * tokens, (i + 1) * tokens - 1)));
  }

  /** The cross-entropy of every row's next token [batch · tokens]; the last of a sequence means nothing. */
  async rowLosses(batch: HiddenBatch, weights: Weights): Promise<Float32Array> {
    const { device, tokens } = this;
    const rows = batch.batch * tokens;
    const program = await this.head(rows);
    const targets = await device.upload(nextTokens(batch.ids), [rows], 'int32');
    const outputs = await program.run({ ...weights, x: batch.x, targets });
    targets.dispose();
    return joined(rows, this.slice(rows, 1), (index) => outputs[`loss${index}`]!);
  }

  /** See {@link buildHeadGraph}: everything behind the last block, of so many rows. */
  head(rows: number): Promise<Program> {
    const { config, device } = this;
    const slice = this.slice(rows, 1);
    const { precision, weightType } = device;
    const build = (): ReturnType<typeof buildHeadGraph> =>
      buildHeadGraph(config, { rows, slice, precision, weightType });
    return device.program(`${this.shape} head ${rows}`, build, () => true);
  }

  /**
   * Sums of KL(dense ‖ batch) over every sequence's next-token distributions, in nats, in the order of `batch.ids`. Of a sequence's rows
   * those count that predict, as in {@link losses}.
   *
   * @param dense states of the dense model after its last block, of the same sequences: [batch · tokens, hidden]
   */
  async divergences(batch: HiddenBatch, dense: DeviceTensor, weights: Weights): Promise<number[]> {
    const { config, device, tokens } = this;
    const rows = batch.batch * tokens;
    const slice = this.slice(rows, 2);
    const { precision, weightType } = device;
    const build = (): ReturnType<typeof buildDivergenceGraph> =>
      buildDivergenceGraph(config, { rows, slice, precision, weightType });
    const program = await device.program(`${this.shape} divergence ${rows}`, build, () => true);
    const outputs = await program.run({ ...weights, x: batch.x, dense });
    const values = joined(rows, slice, (index) => outputs[`divergence${index}`]!);
    return batch.ids.map((_, i) => sumOf(values.subarray(i * tokens, (i + 1) * tokens - 1)));
  }

  /** Rows whose logits exist at the same time. @param models how many have some */
  private slice(rows: number, models: number): number {
    const limit = (this.device.resident ? LOGITS.resident : LOGITS.host) / models;
    return Math.min(rows, Math.max(256, Math.floor(limit / this.config.vocabulary)));
  }
}

/** Bytes of H that a program may hold from one block to the next: what is held of its other values spares a tenth of the time. */
const HELD = 2 ** 26;

function gramBytes({ parameters }: BlockLayout, inputs: readonly string[]): number {
  const widths = inputs.map((input) => parameters.find(({ name, input: read = name }) => read === input)!.shape[1]!);
  return widths.reduce((sum, width) => sum + 4 * width ** 2, 0);
}

/** What a program gives in slices of rows. */
function joined(rows: number, slice: number, part: (index: number) => DeviceTensor): Float32Array {
  const values = new Float32Array(rows);
  for (let begin = 0, index = 0; begin < rows; begin += slice, index++) values.set(part(index).floats(), begin);
  return values;
}

/** Sequences of `tokens` tokens that go through the network together. */
export function sequencesPerBatch(device: Device, tokens: number): number {
  return Math.max(1, Math.floor((device.name === 'cpu' ? ROWS.cpu : ROWS.elsewhere) / tokens));
}

/** Row t predicts token t + 1; the last row of a sequence predicts nothing that counts. */
export function nextTokens(sequences: readonly Int32Array[]): Int32Array {
  const tokens = sequences[0]!.length;
  const targets = new Int32Array(sequences.length * tokens);
  for (const [index, ids] of sequences.entries()) targets.set(ids.subarray(1), index * tokens);
  return targets;
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
