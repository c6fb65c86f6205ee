import { embed } from '../forward/embed.ts';
import type { Step } from '../forward/step.ts';
import { TensorPool } from '../gradient/tensorPool.ts';
import { BlockPass } from './blockPass.ts';
import { GradientSums } from './gradientSums.ts';
import type { TrainingModel } from './trainingModel.ts';
import { wholePass } from './wholePass.ts';

/** A sequence of a step, with the share that each of its predictions has in the loss. */
export interface TrainingSequence {
  readonly ids: Int32Array;
  /** Of what each token predicts, 0 or 1; of all but the last where it is not given. */
  readonly counted?: Uint8Array | undefined;
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
  private readonly pool: TensorPool;
  private readonly blocks: BlockPass;
  private readonly sums: GradientSums;

  constructor(model: TrainingModel) {
    this.model = model;
    this.pool = new TensorPool(model.device);
    this.blocks = new BlockPass(model, this.pool);
    this.sums = new GradientSums(model.adapter);
  }

  async run(sequences: readonly TrainingSequence[], step: Step): Promise<StepGradients> {
    const { checkpoint, device, programs, keeps, room } = this.model;
    this.sums.clear();
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
      const [first] = group;
      const isWhole = keeps && this.blocks.keptBytes(first!.batch) < room;
      loss += isWhole
        ? await wholePass(this.model, first!, this.pool, this.sums, step)
        : await this.blocks.run(group, this.sums, step);
    }
    return { loss, gradients: this.sums.values };
  }

  dispose(): void {
    this.pool.dispose();
  }
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
