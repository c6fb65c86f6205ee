import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import { embed } from '../forward/embed.ts';
import type { Step } from '../forward/step.ts';
import { ModelPrograms, sequencesPerBatch } from '../forward/modelPrograms.ts';
import type { Device } from '../runtime/device.ts';
import { availableMemory } from '../runtime/memory.ts';
import { GradientPrograms } from './gradientPrograms.ts';
import {
  type BackwardOptions,
  countBackwardSteps,
  type ForwardObserver,
  modelBackward,
  type ParameterSource,
} from './modelBackward.ts';
import { TensorPool } from './tensorPool.ts';

/** The dense model, and the calibration samples (all of one length) whose gradients are asked for. */
export interface GradientInputs {
  readonly checkpoint: ModelTensors;
  readonly device: Device;
  readonly weights: ParameterSource;
  readonly samples: readonly Int32Array[];
}

/** Takes G of one block's linear layers, by name, [out, in] each; the arrays are reused after the call. */
export type GradientSink = (block: number, gradients: ReadonlyMap<string, Float32Array>) => Promise<void>;

/** Pruner-Zero squares a hundred times the gradient, which keeps small ones above float32's smallest numbers. */
const SCALE = 100;

/** Share of the available memory for kept block inputs. */
export const ROOM_SHARE = 0.4;

/**
 * The operand G = sqrt( Σ_samples (100 · ∂L_s/∂W)² ) of every linear layer, L_s the mean next-token cross-entropy of one sample. Blocks
 * come from the last to the first, each with its gradients over all samples, so that one block's G is all that is ever held.
 *
 * @param observe takes statistics of the layers' inputs from the same forward pass
 */
export function collectGradients(
  inputs: GradientInputs,
  sink: GradientSink,
  step: Step,
  observe?: ForwardObserver,
): Promise<void> {
  const { device, samples } = inputs;
  return sampleGradients(
    inputs,
    {
      sum: 'squares',
      rowWeight: SCALE / (samples[0]!.length - 1),
      parameters: ({ parameters }) => parameters.filter(({ linear }) => linear).map(({ name }) => name),
      ...(observe && { observe }),
      async onBlock(block, squares) {
        const roots = new Map<string, Float32Array>();
        for (const [name, sum] of Object.entries(squares)) roots.set(name, takeRoots(await device.download(sum)));
        await sink(block, roots);
      },
    },
    step,
  );
}

/** Gradients of the blocks' parameters over the calibration samples, from the last block to the first. */
export async function sampleGradients(
  { checkpoint, device, weights, samples }: GradientInputs,
  options: Pick<BackwardOptions, 'sum' | 'rowWeight' | 'parameters' | 'observe' | 'onBlock'>,
  step: Step,
): Promise<void> {
  const { config } = checkpoint;
  const tokens = samples[0]!.length;
  const programs = await ModelPrograms.create(config, device, tokens);
  const pool = new TensorPool(device);
  try {
    const gradients = new GradientPrograms(config, device, tokens);
    const stream = await embed({ checkpoint, device, programs }, samples);
    await modelBackward(
      { config, device, programs, gradients, weights, pool },
      stream.batches,
      {
        ...options,
        headParameters: [],
        losses: false,
        room: roomForInputs(),
        // A program keeps the memory of its last run. Those of the way forward are done with, or soon compiled again.
        onHead: () => (device.resident ? Promise.resolve() : device.release(() => false)),
      },
      step,
    );
  } finally {
    pool.dispose();
    programs.dispose();
    await device.release((key) => !key.startsWith('gradient '));
  }
}

/** Program runs of {@link collectGradients}. */
export function countGradientSteps({ checkpoint: { config }, device, samples }: GradientInputs): number {
  const tokens = samples[0]!.length;
  const batches = Math.ceil(samples.length / sequencesPerBatch(device, tokens));
  const inputBytes = 4 * config.hidden * samples.length * tokens;
  return batches * countBackwardSteps(config.depth, inputBytes, roomForInputs());
}

function roomForInputs(): number {
  return ROOM_SHARE * availableMemory();
}

function takeRoots(values: Float32Array): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = Math.sqrt(values[i]!);
  return values;
}
