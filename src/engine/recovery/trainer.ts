import type { Recovery } from '../../experiment/recovery.ts';
import { learningRate } from '../../search/recovery/learningRate.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { BlockWeights } from '../forward/blockWeights.ts';
import { logitsOf } from '../forward/logits.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import type { PackedSequences } from '../scoring/packedSequences.ts';
import type { Scores } from '../scoring/scoredStream.ts';
import { scorePacked } from '../scoring/scoreSequences.ts';
import type { Step } from '../forward/step.ts';
import { ROOM_SHARE } from '../gradient/collectGradients.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import { availableMemory } from '../runtime/memory.ts';
import { adam, type Moments } from './adam.ts';
import { type Adapter, tensorsOf, zerosLike } from './adapter.ts';
import { type Measured, measureLosses } from './measureLosses.ts';
import { type Merge, TrainedWeights } from './trainedWeights.ts';
import { TrainingPass, type TrainingSequence } from './trainingPass.ts';
import { readState, type StatePlace, writeState } from './trainingState.ts';

export interface TrainerInputs {
  readonly checkpoint: Checkpoint;
  readonly device: Device;
  readonly adapter: Adapter;
  readonly recovery: Pick<Recovery, 'rate' | 'warmup' | 'schedule' | 'steps' | 'batch'>;
  /** All of one length. A step takes the next `batch` of them, in order; after the last comes the first. */
  readonly sequences: readonly TrainingSequence[];
  /** How much of the model stays in memory; by what there is where it is not given. */
  readonly memory?: { readonly keeps: boolean; readonly room: number } | undefined;
}

export interface TrainedSteps {
  /** Of each step, before its update; ends with null where loss or gradients are not finite: nothing was changed by that step. */
  readonly losses: readonly (number | null)[];
  /** sha-256 of the state after the last step; null where there is none. */
  readonly state: string | null;
}

/** Weights in memory, and merged ones beside them. */
const COPIES = 2;

/** Share of the available memory that the weights may take to be kept. */
const RESIDENT_SHARE = 0.4;

/** A checkpoint with what is trained of it, and Adam's means: a state, which goes from one number of steps to a larger one. */
export class Trainer {
  readonly adapter: Adapter;
  private readonly inputs: TrainerInputs;
  private readonly base: BlockWeights;
  private readonly weights: TrainedWeights;
  private readonly programs: ModelPrograms;
  private readonly pass: TrainingPass;
  private readonly moments: readonly Moments[];
  private readonly beginning: readonly Float32Array[];
  /** Which state is loaded; undefined where it is none that a file has. */
  private at: string | undefined;

  private constructor(inputs: TrainerInputs, programs: ModelPrograms, keeps: boolean, room: number) {
    const { checkpoint, device, adapter, sequences } = inputs;
    this.inputs = inputs;
    this.adapter = adapter;
    this.programs = programs;
    this.base = new BlockWeights(checkpoint, device, keeps);
    this.weights = new TrainedWeights(this.base, device, adapter);
    const tokens = sequences[0]!.ids.length;
    this.pass = new TrainingPass({
      ...{ checkpoint, device, programs, weights: this.weights, adapter, tokens, keeps, room },
    });
    const tensors = tensorsOf(adapter);
    const squares = zerosLike(tensors);
    this.moments = zerosLike(tensors).map((mean, index) => ({ mean, square: squares[index]! }));
    this.beginning = tensors.map(({ values }) => values.slice());
  }

  static async create(inputs: TrainerInputs): Promise<Trainer> {
    const { checkpoint, device, sequences } = inputs;
    const bytes = allParameters(checkpoint.config).reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    const available = availableMemory();
    const keeps = inputs.memory?.keeps ?? COPIES * bytes < RESIDENT_SHARE * available;
    const programs = await ModelPrograms.create(checkpoint.config, device, sequences[0]!.ids.length);
    return new Trainer(inputs, programs, keeps, inputs.memory?.room ?? ROOM_SHARE * available);
  }

  /** Trains the steps `from + 1` to `to`, from the state that lies in the folder, and leaves that after them there. */
  async train(from: number, to: number, place: StatePlace, step: Step): Promise<TrainedSteps> {
    await this.load(from, place);
    this.at = undefined;
    const { recovery, sequences } = this.inputs;
    const losses: (number | null)[] = [];
    const tensors = tensorsOf(this.adapter);
    for (let done = from; done < to; done++) {
      this.weights.changed('plain');
      const first = done * recovery.batch;
      const batch = Array.from({ length: recovery.batch }, (_, i) => sequences[(first + i) % sequences.length]!);
      const { loss, gradients } = await this.pass.run(batch, (detail) => step(`step ${done + 1} of ${to}, ${detail}`));
      if (!Number.isFinite(loss) || !gradients.every(isFinite)) return { losses: [...losses, null], state: null };
      losses.push(loss);
      const rate = learningRate(done, recovery);
      for (const [index, { values }] of tensors.entries()) {
        adam(values, gradients[index]!, this.moments[index]!, done + 1, rate);
      }
    }
    const state = await writeState(place, to, tensors, this.moments);
    this.at = keyOf(to, place);
    return { losses, state };
  }

  /** Brings back what a state's file has; at step 0 what training begins with. */
  async load(step: number, place: StatePlace): Promise<void> {
    if (this.at === keyOf(step, place)) return;
    this.at = undefined;
    const tensors = tensorsOf(this.adapter);
    if (step > 0) await readState(place, step, tensors, this.moments);
    else {
      for (const [index, { values }] of tensors.entries()) values.set(this.beginning[index]!);
      for (const { mean, square } of this.moments) for (const values of [mean, square]) values.fill(0);
    }
    this.weights.changed('plain');
    this.at = keyOf(step, place);
  }

  /** What the state that is loaded makes of sequences of any length. @param merge how the adapter goes into the weights */
  async measure(sequences: readonly TrainingSequence[], merge: Merge, step: Step): Promise<Measured> {
    const { checkpoint, device } = this.inputs;
    this.weights.changed(merge);
    try {
      return await measureLosses({ checkpoint, device, weights: this.weights }, sequences, step);
    } finally {
      this.weights.changed('plain');
    }
  }

  /** Log-likelihoods of what tasks ask, with the state that is loaded. */
  async score(packed: PackedSequences, merge: Merge, step: Step): Promise<Scores> {
    const { checkpoint, device } = this.inputs;
    this.weights.changed(merge);
    try {
      return await scorePacked({ checkpoint, device, weights: this.weights }, packed, step);
    } finally {
      this.weights.changed('plain');
    }
  }

  /** Logits [rows, vocabulary] of the last `rows` tokens of a sequence, with the state that is loaded. */
  async logits(ids: Int32Array, rows: number, merge: Merge, step: Step): Promise<Float32Array> {
    const { checkpoint, device } = this.inputs;
    this.weights.changed(merge);
    try {
      return await logitsOf({ checkpoint, weights: this.weights }, device, ids, rows, () => step('logits'));
    } finally {
      this.weights.changed('plain');
    }
  }

  dispose(): void {
    this.pass.dispose();
    this.weights.dispose();
    this.base.dispose();
    this.programs.dispose();
  }
}

function isFinite(values: Float32Array): boolean {
  // The sum is finite exactly when all are: float32 numbers add up to no more than float64 holds.
  let sum = 0;
  for (const value of values) sum += Math.abs(value);
  return Number.isFinite(sum);
}

function keyOf(step: number, { folder, recovery }: StatePlace): string {
  return JSON.stringify([step, folder, recovery]);
}
