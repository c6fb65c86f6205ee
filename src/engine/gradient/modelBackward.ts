import type { ModelConfig } from '../families/families.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { Step } from '../forward/step.ts';
import { type ModelPrograms, nextTokens } from '../forward/modelPrograms.ts';
import { sizeOf } from '../graph/shape.ts';
import type { InputStatistic } from '../models/blockGraph.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import { familyOf } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { GradientSum } from './blockGradientGraph.ts';
import type { GradientPrograms } from './gradientPrograms.ts';
import { RunningSums } from './runningSums.ts';
import type { TensorPool } from './tensorPool.ts';

/**
 * The gradient of a model's loss, block by block.
 *
 * How to use it: make a {@link BackwardModel} (for a training: your own `weights`, see {@link ParameterSource}), embed the sequences
 * (`embed` of forward/, or your own table), and call {@link modelBackward} with what you want to know:
 *
 *     await modelBackward(model, sequences, {
 *       sum: 'sum', rowWeight: 1 / (sequences in all · (tokens − 1)), losses: true,
 *       parameters: (layout) => layout.parameters.map(({ name }) => name),   // of a block
 *       headParameters: ['norm', 'head'],
 *       onHead, onBlock,      // take ∂L/∂parameter, float32, by the parameter's input name; valid during the call only
 *       onInput,              // takes ∂L/∂x of the first block's input
 *     }, step)
 *
 * Blocks are visited from the last to the first, each once for all sequences: when `onBlock` is called the block's gradient is
 * complete, and its weights may be changed in the same call (what comes after no longer reads them).
 */
export interface BackwardModel {
  readonly config: ModelConfig;
  readonly device: Device;
  readonly programs: ModelPrograms;
  readonly gradients: GradientPrograms;
  readonly weights: ParameterSource;
  /** Buffers for hidden states and gradients; one for all calls spares their allocation. */
  readonly pool: TensorPool;
}

/** Where parameters come from: `BlockWeights` of a checkpoint, or the tensors that a training changes. */
export interface ParameterSource {
  readonly layouts: readonly BlockLayout[];
  /** The parameters of a block by their input's name, valid until {@link done}. */
  block(index: number): Promise<Weights>;
  /** Parameters after the last block, the matrix under `head`. */
  head(): Promise<Weights>;
  done(weights: Weights): void;
}

/** Sequences that go through the network together, as {@link HiddenBatch}. */
export interface BackwardBatch {
  readonly batch: number;
  readonly ids: readonly Int32Array[];
  /** Input of the first block [batch · tokens, hidden]. It belongs to {@link modelBackward} from then on. */
  readonly x: DeviceTensor;
}

export type Gradients = Readonly<Record<string, DeviceTensor>>;

export interface BackwardOptions {
  /** `sum`: ∂L/∂parameter over all sequences. `squares`: Σ_sequences (∂L_s/∂W)², of linear layers alone. */
  readonly sum: GradientSum;
  /** Factor of each predicted token's cross-entropy in L: 1/(tokens − 1) makes L_s the mean of a sequence. */
  readonly rowWeight: number;
  /** Parameters of a block whose gradient is wanted, by their input's name. */
  readonly parameters: (layout: BlockLayout) => readonly string[];
  /** The same after the last block; only with `sum`. */
  readonly headParameters: readonly string[];
  /** Whether the losses are computed and returned. */
  readonly losses: boolean;
  /** Bytes that kept block inputs may take; where all have no room, blocks are run forward again (see {@link modelBackward}). */
  readonly room: number;
  /** Lets the forward pass report statistics of the linear layers' inputs on the way, once for each block and batch. */
  readonly observe?: ForwardObserver;
  readonly onBlock: (index: number, gradients: Gradients) => Promise<void>;
  readonly onHead?: (gradients: Gradients) => Promise<void>;
  /** ∂L/∂x of the first block's input, in the order of the batches. */
  readonly onInput?: (gradients: readonly DeviceTensor[]) => Promise<void>;
}

export interface ForwardObserver {
  readonly statistics: readonly InputStatistic[];
  /** Takes the outputs of a block program that observes (see `buildBlockGraph`). */
  readonly onForward: (index: number, batch: BackwardBatch, outputs: Gradients) => void;
}

/**
 * One pass forward that keeps block inputs, and one back. Of n blocks all n inputs are kept where they fit into `room`; else as many
 * as fit at even distances, and what lies between two of them is computed again from the first when its turn comes, by the same rule.
 * One kept input always has to fit, and log₂ n are held at most.
 *
 * @returns the cross-entropies summed over each sequence's predictions, where asked for
 */
export async function modelBackward(
  model: BackwardModel,
  batches: readonly BackwardBatch[],
  options: BackwardOptions,
  step: Step,
): Promise<number[]> {
  const pass = new BackwardPass(model, batches, options, step);
  const inputs = batches.map(({ x }) => x);
  model.pool.own(inputs);
  await pass.visit(0, model.weights.layouts.length, inputs, slotsFor(bytesOf(batches), options.room), true);
  if (options.onInput) await options.onInput(pass.cotangents);
  for (const cotangent of pass.cotangents) model.pool.give(cotangent);
  return pass.losses;
}

/** Program runs of a pass there and back over one batch: the units in which progress is counted. */
export function countBackwardSteps(depth: number, inputBytes: number, room: number): number {
  return countForward(depth, slotsFor(inputBytes, room)) + 1 + 1 + depth;
}

/** Blocks run forward, but for the last one, which runs once. */
function countForward(depth: number, slots: number): number {
  if (depth === 1) return 0;
  const starts = segmentStarts(0, depth, slots);
  const within = starts.map((begin, i) => countForward((starts[i + 1] ?? depth) - begin, Math.max(1, slots - i)));
  return within.reduce((sum, runs) => sum + runs, starts.at(-1)!);
}

/** Sets of block inputs that may be kept at a time. */
function slotsFor(inputBytes: number, room: number): number {
  return Math.max(1, Math.floor(room / inputBytes));
}

/** Bytes of one block's inputs over all batches. */
function bytesOf(batches: readonly BackwardBatch[]): number {
  return batches.reduce((sum, { x }) => sum + 4 * sizeOf(x.shape), 0);
}

/** Blocks whose inputs are kept while the blocks `begin … end − 1` are visited: as many as there are slots, at least two. */
function segmentStarts(begin: number, end: number, slots: number): number[] {
  const blocks = end - begin;
  const count = Math.min(blocks, Math.max(2, slots));
  return Array.from({ length: count }, (_, i) => begin + Math.floor((i * blocks) / count));
}

/** One call of {@link modelBackward}. Hidden states are arrays with one tensor for each batch. */
class BackwardPass {
  readonly losses: number[] = [];
  /** ∂L/∂y of the block that is visited next. */
  cotangents: DeviceTensor[] = [];
  private readonly model: BackwardModel;
  private readonly batches: readonly BackwardBatch[];
  private readonly options: BackwardOptions;
  private readonly step: Step;
  /** Blocks that have run forward for the first time. */
  private observed = 0;
  /** Whether gradients of several batches are added up. */
  private readonly accumulate: boolean;

  constructor(model: BackwardModel, batches: readonly BackwardBatch[], options: BackwardOptions, step: Step) {
    this.model = model;
    this.batches = batches;
    this.options = options;
    this.step = step;
    this.accumulate = batches.length > 1;
  }

  /**
   * Goes backwards through the blocks `begin … end − 1`.
   *
   * @param inputs of block `begin`; used up
   * @param last whether the head comes next and has not been visited
   */
  async visit(
    begin: number,
    end: number,
    inputs: readonly DeviceTensor[],
    slots: number,
    last: boolean,
  ): Promise<void> {
    if (end - begin === 1) {
      if (last) await this.head(await this.forward(begin, inputs));
      await this.backward(begin, inputs);
      this.release(inputs);
      return;
    }
    const starts = segmentStarts(begin, end, slots);
    const kept = [inputs];
    for (const [i, start] of starts.slice(0, -1).entries())
      kept.push(await this.advance(start, starts[i + 1]!, kept[i]!));
    for (let i = starts.length - 1; i >= 0; i--) {
      const behind = i + 1 === starts.length;
      await this.visit(starts[i]!, starts[i + 1] ?? end, kept[i]!, Math.max(1, slots - i), last && behind);
    }
  }

  /** Inputs of block `end` from those of block `begin`, which stay. */
  private async advance(begin: number, end: number, inputs: readonly DeviceTensor[]): Promise<readonly DeviceTensor[]> {
    let current = inputs;
    for (let index = begin; index < end; index++) {
      const next = await this.forward(index, current);
      if (current !== inputs) this.release(current);
      current = next;
    }
    return current;
  }

  private async forward(index: number, inputs: readonly DeviceTensor[]): Promise<readonly DeviceTensor[]> {
    const { programs, weights, pool } = this.model;
    const layout = weights.layouts[index]!;
    const block = await weights.block(index);
    const outputs: DeviceTensor[] = [];
    const observe = index < this.observed ? undefined : this.options.observe;
    try {
      for (const [i, batch] of this.batches.entries()) {
        const x = inputs[i]!;
        const program = await programs.block(layout, batch.batch, { statistics: observe?.statistics });
        const result = await program.run({ ...programs.inputs(layout, block), x }, pool.outputs({ y: x.shape }));
        const y = result['y']!;
        pool.own([y]);
        outputs.push(y);
        observe?.onForward(index, batch, result);
        await this.step(`forward, ${this.where(index)}`);
      }
    } finally {
      weights.done(block);
    }
    this.observed = Math.max(this.observed, index + 1);
    return outputs;
  }

  /** The losses, and the first cotangents; uses up the inputs. */
  private async head(inputs: readonly DeviceTensor[]): Promise<void> {
    const { config, gradients, weights, pool, device } = this.model;
    const { headParameters: names, losses, onHead, rowWeight } = this.options;
    const layout = familyOf(config).head(config);
    const wanted = [...layout.parameters, layout.weight].filter(({ name }) => names.includes(name));
    const head = await weights.head();
    const sums = await RunningSums.start(pool, wanted, { rows: Infinity, accumulate: this.accumulate });
    try {
      for (const [i, { batch, ids }] of this.batches.entries()) {
        const x = inputs[i]!;
        const program = await gradients.head(batch, { parameters: names, losses, accumulate: this.accumulate });
        const targets = await device.upload(nextTokens(ids), [x.shape[0]!], 'int32');
        const rowWeights = await device.upload(predictionWeights(ids, rowWeight), [x.shape[0]!], 'float32');
        const spare = { ...pool.outputs({ dx: x.shape }), ...sums.outputs() };
        const outputs = await program.run({ ...head, ...sums.inputs(), x, targets, rowWeights }, spare);
        pool.own(outputs);
        targets.dispose();
        rowWeights.dispose();
        pool.give(x);
        this.cotangents.push(outputs['dx']!);
        sums.replace(outputs);
        if (losses) this.losses.push(...sequenceLosses(outputs['loss']!.floats(), ids.length));
        await this.step('gradients, head');
      }
    } finally {
      weights.done(head);
    }
    await onHead?.(sums.current);
    sums.release();
  }

  /** Gradients of one block's parameters, and the cotangents of the block before it. */
  private async backward(index: number, inputs: readonly DeviceTensor[]): Promise<void> {
    const { programs, gradients, weights, pool } = this.model;
    const { sum, onBlock } = this.options;
    const layout = weights.layouts[index]!;
    const wanted = this.wantedOf(layout);
    const parameters = wanted.map(({ name }) => name);
    const block = await weights.block(index);
    const sums = await RunningSums.start(pool, wanted, { rows: gradients.stripRows, accumulate: this.accumulate });
    try {
      for (const [i, { batch }] of this.batches.entries()) {
        const [x, dy] = [inputs[i]!, this.cotangents[i]!];
        const program = await gradients.block(layout, batch, { sum, parameters, accumulate: this.accumulate });
        const spare = { ...pool.outputs({ dx: x.shape }), ...sums.outputs() };
        const outputs = await program.run({ ...programs.inputs(layout, block), ...sums.inputs(), x, dy }, spare);
        pool.own(outputs);
        this.cotangents[i] = outputs['dx']!;
        pool.give(dy);
        sums.replace(outputs);
        await this.step(`gradients, ${this.where(index)}`);
      }
    } finally {
      weights.done(block);
    }
    await onBlock(index, sums.current);
    sums.release();
    this.forget(index, wanted);
  }

  /** Where blocks are of different sizes, what fits one of them does not pile up for all. */
  private forget(index: number, wanted: readonly Parameter[]): void {
    const { weights, pool } = this.model;
    if (index === 0) return;
    const next = new Set(this.wantedOf(weights.layouts[index - 1]!).map(({ shape }) => shape.join('×')));
    for (const { shape } of wanted) if (!next.has(shape.join('×'))) pool.forget(shape);
  }

  private wantedOf(layout: BlockLayout): readonly Parameter[] {
    const names = this.options.parameters(layout);
    return layout.parameters.filter(({ name }) => names.includes(name));
  }

  private release(tensors: readonly DeviceTensor[]): void {
    for (const tensor of tensors) this.model.pool.give(tensor);
  }

  private where(index: number): string {
    return `block ${index + 1} of ${this.model.weights.layouts.length}`;
  }
}

/** The last token of a sequence predicts nothing that counts. */
function predictionWeights(ids: readonly Int32Array[], weight: number): Float32Array {
  const tokens = ids[0]!.length;
  return new Float32Array(ids.length * tokens).map((_, row) => ((row + 1) % tokens === 0 ? 0 : weight));
}

function sequenceLosses(rows: Float32Array, sequences: number): number[] {
  const tokens = rows.length / sequences;
  return Array.from({ length: sequences }, (_, i) =>
    rows.subarray(i * tokens, (i + 1) * tokens - 1).reduce((sum, loss) => sum + loss, 0),
  );
}
