import { embed } from '../forward/embed.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import type { Step } from '../forward/step.ts';
import type { GradientInputs } from '../gradient/collectGradients.ts';

/** What the calibration samples say of one expert. */
export interface ExpertActivation {
  /** That go through it. */
  readonly tokens: number;
  /** Σ over these of weight · ‖output‖, the weight being the one that the model gives the expert there. */
  readonly activation: number;
}

/** Of every expert of the dense model, block by block; nothing of a block that mixes none. */
export async function expertActivations(
  { checkpoint, device, weights, samples }: GradientInputs,
  step: Step,
): Promise<readonly (readonly ExpertActivation[])[]> {
  const { layouts } = weights;
  const programs = await ModelPrograms.create(checkpoint.config, device, samples[0]!.length);
  const stream = await embed({ checkpoint, device, programs }, samples);
  try {
    const found: ExpertActivation[][] = [];
    for (const [index, layout] of layouts.entries()) {
      const sums = Array.from({ length: layout.shape.experts ?? 0 }, () => ({ tokens: 0, activation: 0 }));
      const block = await weights.block(index);
      const inputs = programs.inputs(layout, block);
      try {
        for (const batch of stream.batches) {
          const program = await programs.block(layout, batch.batch, { activations: true });
          const spare = stream.spare(batch);
          const outputs = await program.run({ ...inputs, x: batch.x }, spare ? { y: spare } : {});
          for (const [expert, sum] of sums.entries()) {
            sum.tokens += outputs[`tokens:${expert}`]!.floats()[0]!;
            sum.activation += outputs[`activation:${expert}`]!.floats()[0]!;
          }
          stream.replace(batch, outputs['y']!);
          await step(`looking at experts, block ${index + 1} of ${layouts.length}`);
        }
      } finally {
        weights.done(block);
      }
      found.push(sums);
    }
    return found;
  } finally {
    stream.dispose();
    programs.dispose();
  }
}
