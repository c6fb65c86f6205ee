import type { HiddenBatch } from '../forward/hiddenBatch.ts';
import type { Step } from '../forward/step.ts';
import { GradientPrograms } from '../gradient/gradientPrograms.ts';
import type { TensorPool } from '../gradient/tensorPool.ts';
import type { BlockLayout } from '../families/family.ts';
import type { Graph } from '../graph/graph.ts';
import { sizeOf } from '../graph/shape.ts';
import type { SplitGraph } from '../graph/splitGraph.ts';
import type { Program } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Place } from './adapter.ts';
import type { GradientSums } from './gradientSums.ts';
import { buildTrainingBlock } from './trainingBlock.ts';
import {
  type Tensors,
  trainedAtHead,
  trainedIn,
  type TrainingModel,
  uploadTargets,
  weighted,
  type WeightedBatch,
} from './trainingModel.ts';

/** There and back block by block: only the blocks' inputs are kept, and each block runs forward once more when its turn comes. */
export class BlockPass {
  private readonly model: TrainingModel;
  private readonly pool: TensorPool;
  private readonly heads: GradientPrograms;
  private readonly splits = new Map<string, SplitGraph>();

  /** @param pool that the batches' states belong to */
  constructor(model: TrainingModel, pool: TensorPool) {
    this.model = model;
    this.pool = pool;
    this.heads = new GradientPrograms(model.checkpoint.config, model.device, model.tokens);
  }

  /**
   * @param sums that the gradients are added to
   * @returns what these batches add to the loss
   */
  async run(batches: readonly WeightedBatch[], sums: GradientSums, step: Step): Promise<number> {
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
    const loss = await this.head(states, sums, step);
    for (const [index, layout] of [...weights.layouts.entries()].reverse()) {
      const block = await weights.block(index);
      try {
        for (const state of states) {
          await this.backward(layout, index, block, state, sums);
          await step(`gradients, block ${index + 1}`);
        }
      } finally {
        weights.done(block);
      }
    }
    for (const { cotangent } of states) this.pool.give(cotangent!);
    return loss;
  }

  /** Bytes of what all blocks keep for their way back, of a batch of so many sequences. */
  keptBytes(batch: number): number {
    return this.model.weights.layouts.reduce((sum, layout) => {
      const { handed } = this.splitOf(layout, batch);
      return sum + handed.reduce((bytesOf, { value }) => bytesOf + 4 * sizeOf(value.shape), 0);
    }, 0);
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

  private async head(states: readonly BatchState[], sums: GradientSums, step: Step): Promise<number> {
    const { weights, device } = this.model;
    const parameters = trainedAtHead(this.model);
    const head = await weights.head();
    let total = 0;
    try {
      for (const state of states) {
        const { batch, x } = state;
        const options = { parameters: parameters.map(({ name }) => name), losses: true, accumulate: false };
        const program = await this.heads.head(batch.batch, options);
        const targets = await uploadTargets(device, batch);
        const shapes = {
          dx: x.shape,
          ...Object.fromEntries(parameters.map(({ name, shape }) => [`d:${name}`, shape])),
        };
        const outputs = await program.run({ ...head, ...targets, x }, this.pool.outputs(shapes));
        this.pool.own(outputs);
        for (const tensor of Object.values(targets)) tensor.dispose();
        this.pool.give(x);
        state.cotangent = outputs['dx']!;
        await this.collect(sums, 'head', outputs);
        total += weighted(outputs['loss']!.floats(), batch.rowWeights);
        await step('gradients, head');
      }
    } finally {
      weights.done(head);
    }
    return total;
  }

  private async backward(
    layout: BlockLayout,
    index: number,
    block: Tensors,
    state: BatchState,
    sums: GradientSums,
  ): Promise<void> {
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
    await this.collect(sums, index, outputs);
  }

  /** Adds the gradients among the outputs to those of the batches before. */
  private async collect(sums: GradientSums, place: Place, outputs: Tensors): Promise<void> {
    for (const [name, tensor] of Object.entries(outputs)) {
      if (!name.startsWith('d:')) continue;
      sums.add(place, name.slice(2), await this.model.device.download(tensor));
      this.pool.give(tensor);
    }
  }

  private giveAll(tensors: Tensors): void {
    for (const tensor of Object.values(tensors)) this.pool.give(tensor);
  }

  private splitOf(layout: BlockLayout, batch: number): SplitGraph {
    const { checkpoint, tokens } = this.model;
    const key = this.keyOf(layout, batch);
    const found = this.splits.get(key);
    if (found) return found;
    const split = buildTrainingBlock(checkpoint.config, layout, trainedIn(this.model, layout), { batch, tokens });
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
    return JSON.stringify([layout.variant, batch, trainedIn(this.model, layout)]);
  }
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
