import { embed } from '../forward/embed.ts';
import type { HiddenBatch } from '../forward/hiddenBatch.ts';
import { type ModelPrograms, nextTokens } from '../forward/modelPrograms.ts';
import type { Step } from '../forward/step.ts';
import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import { GradientPrograms, headSlice } from '../gradient/gradientPrograms.ts';
import { TensorPool } from '../gradient/tensorPool.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import { familyOf } from '../families/families.ts';
import type { Graph } from '../graph/graph.ts';
import { sizeOf } from '../graph/shape.ts';
import type { SplitGraph } from '../graph/splitGraph.ts';
import type { Device, Program } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { type Adapter, type Place, tensorsOf, zerosLike } from './adapter.ts';
import type { TrainedWeights } from './trainedWeights.ts';
import { buildTrainingBlock, buildTrainingModel, type TrainedParts } from './trainingBlock.ts';

/** A sequence of a step, with the share that each of its predictions has in the loss. */
export interface TrainingSequence {
  readonly ids: Int32Array;
  /** Of what each token predicts, 0 or 1; of all but the last where it is not given. */
  readonly counted?: Uint8Array | undefined;
}

export interface TrainingModel {
  readonly checkpoint: ModelTensors;
  readonly device: Device;
  readonly programs: ModelPrograms;
  readonly weights: TrainedWeights;
  readonly adapter: Adapter;
  /** Tokens of a sequence. */
  readonly tokens: number;
  /** Whether weights stay in memory: then the batches of a step go through the model one after the other, else block by block together. */
  readonly keeps: boolean;
  /** Bytes that what blocks keep for their way back may take. */
  readonly room: number;
}

export interface StepGradients {
  /** Mean cross-entropy of the counted predictions. */
  readonly loss: number;
  /** ∂loss/∂tensor, in the order of {@link tensorsOf}; reused at the next step. */
  readonly gradients: readonly Float32Array[];
}

/**
 * Loss and gradients of an adapter on the sequences of one step, block by block.
 *
 * Where all that the blocks compute on their way forward has room, one program is the whole way there and back. Else only the blocks' inputs are
 * kept, and each block runs forward once more when its turn comes: what it computes does not depend on who asks, so the gradients are the same,
 * bit by bit, however much room there is.
 * Gradients of factors and vectors are few numbers: they come to the host, and are added up there in the order of the batches.
 */
export class TrainingPass {
  private readonly model: TrainingModel;
  private readonly heads: GradientPrograms;
  private readonly pool: TensorPool;
  private readonly splits = new Map<string, SplitGraph>();
  private readonly gradients: readonly Float32Array[];
  /** Where a gradient goes, by place and input. Those of B come as their transposes, with `columns` rows. */
  private readonly slots: ReadonlyMap<string, { readonly sum: Float32Array; readonly columns: number }>;

  constructor(model: TrainingModel) {
    this.model = model;
    const { checkpoint, device, adapter, tokens } = model;
    this.heads = new GradientPrograms(checkpoint.config, device, tokens);
    this.pool = new TensorPool(device);
    const tensors = tensorsOf(adapter);
    this.gradients = zerosLike(tensors);
    const turned = new Set(adapter.layers.map(({ up }) => up));
    this.slots = new Map(
      tensors.map((tensor, index) => {
        const { place, input, shape } = tensor;
        const columns = turned.has(tensor) ? shape[1]! : 1;
        return [`${place} ${input}`, { sum: this.gradients[index]!, columns }];
      }),
    );
  }

  async run(sequences: readonly TrainingSequence[], step: Step): Promise<StepGradients> {
    const { checkpoint, device, programs, keeps } = this.model;
    for (const gradient of this.gradients) gradient.fill(0);
    const counted = sequences.map(countedOf);
    const total = counted.reduce((sum, rows) => sum + rows.reduce((count, one) => count + one, 0), 0);
    const stream = await embed(
      { checkpoint, device, programs },
      sequences.map(({ ids }) => ids),
    );
    for (const { x } of stream.batches) this.pool.own([x]);
    const batches = stream.batches.map((batch, index) => {
      const first = stream.batches.slice(0, index).reduce((sum, { batch: before }) => sum + before, 0);
      return { ...batch, rowWeights: joined(counted.slice(first, first + batch.batch), 1 / Math.max(1, total)) };
    });
    let loss = 0;
    for (const group of keeps ? batches.map((batch) => [batch]) : [batches]) {
      const whole = keeps && this.fits(group[0]!);
      loss += whole ? await this.wholeModel(group[0]!, step) : await this.thereAndBack(group, step);
    }
    return { loss, gradients: this.gradients };
  }

  dispose(): void {
    this.pool.dispose();
  }

  /** A batch by the one program of the whole model. @returns what it adds to the loss */
  private async wholeModel(batch: WeightedBatch, step: Step): Promise<number> {
    const { checkpoint, device, programs, weights, tokens } = this.model;
    const { config } = checkpoint;
    const { layouts } = weights;
    const rows = batch.batch * tokens;
    const parts = layouts.map((layout) => this.trainedIn(layout));
    const headVectors = this.headVectors().map(({ name }) => name);
    const options = { batch: batch.batch, tokens, parts, headVectors, slice: headSlice(config, device, rows) };
    const program = await device.program(
      `recovery model ${JSON.stringify([config, options])}`,
      () => buildTrainingModel(config, layouts, options),
      () => true,
    );
    const inputs: Record<string, DeviceTensor> = {
      ...(await weights.head()),
      ...(await this.targets(batch)),
      x: batch.x,
    };
    for (const [index, layout] of layouts.entries()) {
      const block = programs.inputs(layout, await weights.block(index));
      for (const [name, tensor] of Object.entries(block)) inputs[`${index}:${name}`] = tensor;
    }
    const outputs = await program.run(inputs);
    for (const tensor of [inputs['targets']!, inputs['rowWeights']!]) tensor.dispose();
    this.pool.give(batch.x);
    for (const [name, tensor] of Object.entries(outputs)) {
      const [, block, input] = /^(?:(\d+):)?d:(.*)$/.exec(name) ?? [];
      if (input !== undefined) this.add(block === undefined ? 'head' : Number(block), input, tensor.floats());
    }
    await step('training');
    return weighted(outputs['loss']!.floats(), batch.rowWeights);
  }

  /** @returns what these batches add to the loss */
  private async thereAndBack(batches: readonly WeightedBatch[], step: Step): Promise<number> {
    const { weights } = this.model;
    const states = batches.map((batch): BatchState => ({ batch, x: batch.x, inputs: [], cotangent: undefined }));
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      try {
        for (const state of states) {
          const { y, handed } = await this.forward(layout, block, state.batch, state.x);
          this.giveAll(handed);
          state.inputs.push(state.x);
          state.x = y;
          await step(`forward, block ${index + 1}`);
        }
      } finally {
        weights.done(block);
      }
    }
    const loss = await this.head(states, step);
    for (const [index, layout] of [...weights.layouts.entries()].reverse()) {
      const block = await weights.block(index);
      try {
        for (const state of states) {
          await this.backward(layout, index, block, state);
          await step(`gradients, block ${index + 1}`);
        }
      } finally {
        weights.done(block);
      }
    }
    for (const { cotangent } of states) this.pool.give(cotangent!);
    return loss;
  }

  private async forward(layout: BlockLayout, block: Tensors, batch: HiddenBatch, x: DeviceTensor): Promise<Forward> {
    const { programs } = this.model;
    const { first, handed } = this.splitOf(layout, batch.batch);
    const program = await this.program(layout, batch.batch, 'first', first);
    const shapes = Object.fromEntries(first.outputs.map(({ name, value }) => [name, value.shape]));
    const outputs = await program.run({ ...programs.inputs(layout, block), x }, this.pool.outputs(shapes));
    this.pool.own(outputs);
    return { y: outputs['y']!, handed: Object.fromEntries(handed.map(({ name }) => [name, outputs[name]!])) };
  }

  private async head(states: readonly BatchState[], step: Step): Promise<number> {
    const { weights } = this.model;
    const parameters = this.headVectors();
    const head = await weights.head();
    let total = 0;
    try {
      for (const state of states) {
        const { batch, x } = state;
        const options = { parameters: parameters.map(({ name }) => name), losses: true, accumulate: false };
        const program = await this.heads.head(batch.batch, options);
        const targets = await this.targets(batch);
        const shapes = {
          dx: x.shape,
          ...Object.fromEntries(parameters.map(({ name, shape }) => [`d:${name}`, shape])),
        };
        const outputs = await program.run({ ...head, ...targets, x }, this.pool.outputs(shapes));
        this.pool.own(outputs);
        for (const tensor of Object.values(targets)) tensor.dispose();
        this.pool.give(x);
        state.cotangent = outputs['dx']!;
        await this.collect('head', outputs);
        total += weighted(outputs['loss']!.floats(), batch.rowWeights);
        await step('gradients, head');
      }
    } finally {
      weights.done(head);
    }
    return total;
  }

  private async targets({ ids, rowWeights }: WeightedBatch): Promise<Tensors> {
    const { device } = this.model;
    const rows = [rowWeights.length];
    return {
      targets: await device.upload(nextTokens(ids), rows, 'int32'),
      rowWeights: await device.upload(rowWeights, rows, 'float32'),
    };
  }

  /** Parameters after the last block that are trained. */
  private headVectors(): readonly Parameter[] {
    const { config } = this.model.checkpoint;
    return familyOf(config)
      .head(config)
      .parameters.filter(({ name }) => this.slots.has(`head ${name}`));
  }

  private async backward(layout: BlockLayout, index: number, block: Tensors, state: BatchState): Promise<void> {
    const { programs } = this.model;
    const x = state.inputs.pop()!;
    const { y, handed } = await this.forward(layout, block, state.batch, x);
    this.pool.give(y);
    const { second } = this.splitOf(layout, state.batch.batch);
    const program = await this.program(layout, state.batch.batch, 'second', second);
    const dy = state.cotangent!;
    const shapes = Object.fromEntries(second.outputs.map(({ name, value }) => [name, value.shape]));
    const inputs = { ...programs.inputs(layout, block), ...handed, x, dy };
    const outputs = await program.run(inputs, this.pool.outputs(shapes));
    this.pool.own(outputs);
    state.cotangent = outputs['dx']!;
    this.giveAll({ ...handed, x, dy });
    await this.collect(index, outputs);
  }

  /** Adds the gradients among the outputs to those of the batches before. */
  private async collect(place: Place, outputs: Tensors): Promise<void> {
    for (const [name, tensor] of Object.entries(outputs)) {
      if (!name.startsWith('d:')) continue;
      this.add(place, name.slice(2), await this.model.device.download(tensor));
      this.pool.give(tensor);
    }
  }

  private add(place: Place, input: string, values: Float32Array): void {
    const { sum, columns } = this.slots.get(`${place} ${input}`)!;
    if (columns === 1) for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
    else {
      const rows = sum.length / columns;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) sum[row * columns + column]! += values[column * rows + row]!;
      }
    }
  }

  private giveAll(tensors: Tensors): void {
    for (const tensor of Object.values(tensors)) this.pool.give(tensor);
  }

  /** Whether what all blocks keep of a batch has room. */
  private fits({ batch }: HiddenBatch): boolean {
    const { weights, room } = this.model;
    const bytes = weights.layouts.reduce((sum, layout) => {
      const { handed } = this.splitOf(layout, batch);
      return sum + handed.reduce((bytesOf, { value }) => bytesOf + 4 * sizeOf(value.shape), 0);
    }, 0);
    return bytes < room;
  }

  private splitOf(layout: BlockLayout, batch: number): SplitGraph {
    const { checkpoint, tokens } = this.model;
    const key = this.keyOf(layout, batch);
    const found = this.splits.get(key);
    if (found) return found;
    const split = buildTrainingBlock(checkpoint.config, layout, this.trainedIn(layout), { batch, tokens });
    this.splits.set(key, split);
    return split;
  }

  private program(layout: BlockLayout, batch: number, part: 'first' | 'second', graph: Graph): Promise<Program> {
    const { checkpoint, device, tokens } = this.model;
    const shape = JSON.stringify(checkpoint.config);
    const key = `recovery ${part} ${shape} ${tokens} ${this.keyOf(layout, batch)}`;
    return device.program(
      key,
      () => graph,
      () => false,
      checkpoint.config.blocks !== undefined,
    );
  }

  private keyOf(layout: BlockLayout, batch: number): string {
    return JSON.stringify([layout.variant, batch, this.trainedIn(layout)]);
  }

  /** What of a block is trained, as its program has to know it. */
  private trainedIn(layout: BlockLayout): TrainedParts {
    const { weights, adapter } = this.model;
    const index = weights.layouts.indexOf(layout);
    const factors = adapter.layers
      .filter(({ block }) => block === index)
      .map(({ name, rank, scaling }) => ({ name, rank, scaling }));
    return { factors, vectors: adapter.vectors.filter(({ place }) => place === index).map(({ input }) => input) };
  }
}

type Tensors = Readonly<Record<string, DeviceTensor>>;

interface WeightedBatch extends HiddenBatch {
  /** Share of each row's cross-entropy in the loss of the step [batch · tokens]. */
  readonly rowWeights: Float32Array;
}

interface Forward {
  readonly y: DeviceTensor;
  readonly handed: Tensors;
}

/** A batch on its way: block inputs are taken off again on the way back. */
interface BatchState {
  readonly batch: WeightedBatch;
  x: DeviceTensor;
  readonly inputs: DeviceTensor[];
  cotangent: DeviceTensor | undefined;
}

/** The last token of a sequence predicts nothing that counts. */
export function countedOf({ ids, counted }: TrainingSequence): Uint8Array {
  return counted ?? new Uint8Array(ids.length).fill(1, 0, ids.length - 1);
}

function joined(rows: readonly Uint8Array[], weight: number): Float32Array {
  return Float32Array.from(
    rows.flatMap((row) => [...row]),
    (one) => one * weight,
  );
}

function weighted(losses: Float32Array, weights: Float32Array): number {
  let sum = 0;
  // What does not count may be anything, infinite as well.
  for (let i = 0; i < losses.length; i++) if (weights[i] !== 0) sum += losses[i]! * weights[i]!;
  return sum;
}
