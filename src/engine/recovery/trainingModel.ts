import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import { familyOf } from '../families/families.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import type { HiddenBatch } from '../forward/hiddenBatch.ts';
import { type ModelPrograms, nextTokens } from '../forward/modelPrograms.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Adapter } from './adapter.ts';
import type { TrainedWeights } from './trainedWeights.ts';
import type { TrainedParts } from './trainingBlock.ts';

/** What is trained, and on what. */
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

export interface WeightedBatch extends HiddenBatch {
  /** Share of each row's cross-entropy in the loss of the step [batch · tokens]. */
  readonly rowWeights: Float32Array;
}

export type Tensors = Readonly<Record<string, DeviceTensor>>;

/** What of a block is trained, as its program has to know it. */
export function trainedIn({ weights, adapter }: TrainingModel, layout: BlockLayout): TrainedParts {
  const index = weights.layouts.indexOf(layout);
  const factors = adapter.layers
    .filter(({ block }) => block === index)
    .map(({ name, rank, scaling }) => ({ name, rank, scaling }));
  return { factors, vectors: adapter.vectors.filter(({ place }) => place === index).map(({ input }) => input) };
}

/** Parameters after the last block that are trained. */
export function trainedAtHead({ checkpoint: { config }, adapter }: TrainingModel): readonly Parameter[] {
  const trained = new Set(adapter.vectors.filter(({ place }) => place === 'head').map(({ input }) => input));
  return familyOf(config)
    .head(config)
    .parameters.filter(({ name }) => trained.has(name));
}

/** What the head's program reads beside the states. */
export async function uploadTargets(device: Device, { ids, rowWeights }: WeightedBatch): Promise<Tensors> {
  const rows = [rowWeights.length];
  return {
    targets: await device.upload(nextTokens(ids), rows, 'int32'),
    rowWeights: await device.upload(rowWeights, rows, 'float32'),
  };
}

/** What the rows of a batch add to the loss of the step. */
export function weighted(losses: Float32Array, weights: Float32Array): number {
  let sum = 0;
  // What does not count may be anything, infinite as well.
  for (let i = 0; i < losses.length; i++) if (weights[i] !== 0) sum += losses[i]! * weights[i]!;
  return sum;
}
