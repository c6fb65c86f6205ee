import type { Measuring, Probing, Timed } from '../../experiment/measuringSchema.ts';
import type { StructureScore } from '../../experiment/structureSchema.ts';
import type { MeasureOutcome } from '../../search/lifecycle/events.ts';
import type { PackedValues } from '../../search/masks/events.ts';
import type { ProbeOutcome } from '../../search/metrics/events.ts';
import type { StepHooks } from '../forward/step.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';

/**
 * The numeric side of a search in one process: what its questions share is found once, when it is opened. What a kind of search cannot be
 * asked is refused with `engine/invariant`, as who asks is a part of Espalier.
 */
export interface SearchSession {
  /** Whose weights it works on. */
  readonly weights: BlockWeights;
  /** The gradients that it works with. */
  readonly gradients: GradientOperands | undefined;
  /** See `Engine.probe`. */
  probe(asked: Probing, hooks: StepHooks): Promise<Timed<ProbeOutcome>[]>;
  /** See `Engine.measure`. */
  measure(asked: Measuring, hooks: StepHooks): Promise<Timed<MeasureOutcome>[]>;
  /** See `Engine.componentScores`. */
  componentScores(score: StructureScore, hooks: StepHooks): Promise<PackedValues>;
  dispose(): void;
}
