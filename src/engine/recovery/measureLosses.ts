import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import { embed } from '../forward/embed.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import type { Step } from '../forward/step.ts';
import type { ParameterSource } from '../gradient/modelBackward.ts';
import type { Device } from '../runtime/device.ts';
import { countedOf, type TrainingSequence } from './trainingPass.ts';

export interface MeasuredModel {
  readonly checkpoint: ModelTensors;
  readonly device: Device;
  readonly weights: ParameterSource;
}

export interface Measured {
  /** Mean cross-entropy of the counted predictions of each sequence, nats. */
  readonly losses: readonly number[];
  /** The same over all of them together. */
  readonly loss: number;
  /** Share of the linear layers' weights that are zero. */
  readonly zeroShare: number;
}

/** Losses of a model on sequences of one length, block by block. */
export async function measureLosses(
  { checkpoint, device, weights }: MeasuredModel,
  sequences: readonly TrainingSequence[],
  step: Step,
): Promise<Measured> {
  const ids = sequences.map((sequence) => sequence.ids);
  const tokens = ids[0]!.length;
  const programs = await ModelPrograms.create(checkpoint.config, device, tokens);
  const stream = await embed({ checkpoint, device, programs }, ids);
  const count = { weights: 0, zeros: 0 };
  try {
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      try {
        await stream.advance(layout, block, step, `block ${index + 1}`);
        for (const { name, linear } of layout.parameters) {
          if (!linear) continue;
          const values = await device.download(block[name]!);
          count.weights += values.length;
          for (const value of values) if (value === 0) count.zeros++;
        }
      } finally {
        weights.done(block);
      }
    }
    const head = await weights.head();
    const sums: { readonly sum: number; readonly count: number }[] = [];
    try {
      for (const batch of stream.batches) {
        const rows = await programs.rowLosses(batch, head);
        for (const index of batch.ids.keys()) {
          const part = rows.subarray(index * tokens, (index + 1) * tokens);
          sums.push(sumOf(part, countedOf(sequences[sums.length]!)));
        }
        await step('head');
      }
    } finally {
      weights.done(head);
    }
    const all = sums.reduce((a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }), { sum: 0, count: 0 });
    return {
      losses: sums.map((one) => one.sum / one.count),
      loss: all.sum / all.count,
      zeroShare: count.zeros / Math.max(1, count.weights),
    };
  } finally {
    stream.dispose();
    programs.dispose();
  }
}

function sumOf(losses: Float32Array, counted: Uint8Array): { readonly sum: number; readonly count: number } {
  let [sum, count] = [0, 0];
  for (let i = 0; i < losses.length; i++) {
    if (counted[i] !== 1) continue;
    sum += losses[i]!;
    count++;
  }
  return { sum, count };
}
