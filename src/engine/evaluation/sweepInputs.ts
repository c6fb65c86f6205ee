import type { BlockMask } from '../../experiment/structureSchema.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import type { Step } from '../forward/step.ts';
import type { ModelPrograms } from '../forward/modelPrograms.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import { disposePacked, type PackedSequences } from '../scoring/packedSequences.ts';
import type { TaskOutcome } from '../scoring/taskResults.ts';
import type { KeptWeights } from '../pruning/keptWeights.ts';
import type { Pruner } from '../pruning/pruner.ts';
import type { Refitter } from '../structure/refitter.ts';
import type { Device } from '../runtime/device.ts';
import type { BlockStatistics } from './blockStatistics.ts';
import type { LayerSolvers } from './blockSolvers.ts';
import type { BlockVisit } from './blockVisit.ts';
import type { DenseStates } from './denseStates.ts';
import type { EvaluationHooks } from './hooks.ts';
import type { Refitted, Removal } from './removal.ts';

/** What a sweep works on: one model, its programs at the length of its sequences, and these. */
export interface SweepInputs {
  readonly checkpoint: Checkpoint;
  readonly device: Device;
  readonly weights: BlockWeights;
  readonly programs: ModelPrograms;
  /** At the length of calibration samples; the same programs where that is the same. */
  readonly calibrationPrograms: ModelPrograms;
  /** Sequences whose perplexity is wanted; none where it is not. */
  readonly evaluation: readonly Int32Array[];
  /** What tasks ask for, of every model beside that. */
  readonly asked?: PackedSequences;
  /** Calibration samples; empty where no metric needs statistics. */
  readonly calibration: readonly Int32Array[];
  /** Samples that G is taken on: those for calibration, or others. */
  readonly gradientSamples: readonly Int32Array[];
  readonly calibrate: 'sequential' | 'one-shot';
  /** Where hidden states of {@link evaluation} and {@link calibration} lie in files between two blocks; absent where they are held in memory. */
  readonly scratchFolder?: string;
  /** Statistics of the dense model's blocks, where they were collected before: then nothing is calibrated. */
  readonly statistics?: readonly BlockStatistics[];
  /** What updates need of the dense model's H, where that was found before: `block` gives what is of one. */
  readonly solvers?: { block(index: number): LayerSolvers };
  /** Where refits are those of the dense model's H (one-shot); else H is of what the blocks before leave of the samples. */
  readonly refits?: OneShotRefits;
  /** What updates have made of weights, by the layer and how many go: of one metric, one update and one calibration. */
  readonly updated?: KeptWeights;
  /** The operand G of the dense model, where a metric uses it. */
  readonly gradients?: GradientOperands;
  /** Where losses are divergences from the dense model; its states of the evaluation's sequences are at hand. */
  readonly denseStates?: DenseStates;
  /** See `EvaluationHooks.onFinal`. */
  readonly onFinal?: EvaluationHooks['onFinal'];
  /** Seconds, from any start. */
  readonly now: () => number;
}

/** Refits on the dense model's H, for all variants of a sweep. */
export interface OneShotRefits {
  /** Begins a sweep. */
  open(inputs: SweepInputs): Promise<void>;
  /** Finds H of a block that the sweep has come to, where it is not there yet. */
  reach(
    inputs: SweepInputs,
    visit: Omit<BlockVisit, 'statistics' | 'solvers' | 'gradients'>,
    step: Step,
  ): Promise<void>;
  /** Of the block that was reached. @throws EspalierError `recovery/ill-conditioned` */
  refit(visit: BlockVisit, mask: BlockMask, refitter: Refitter, step: Step): Promise<Refitted>;
  /** The sweep goes on to the next block. */
  leave(): void;
  /** The sweep is over. */
  close(): Promise<void>;
  dispose(): void;
}

/** What a sweep makes of the dense model beside carrying that: weights pruned on the way, or whole components left out. */
export type Variant = Pruner | Removal;

export interface SweepOutcome {
  /**
   * Mean over all predictions, in nats: cross-entropy with the text, or with {@link SweepInputs.denseStates} KL(dense ‖ pruned); NaN where there is
   * no text.
   */
  readonly loss: number;
  /** Share of the prunable weights that are zero or gone; of the dense model those that are zero in the checkpoint. */
  readonly actualSparsity: number;
  /** With {@link SweepInputs.asked}. */
  readonly tasks?: TaskOutcome;
  /** What this evaluation alone takes: reading weights, compiling, its calibration, pruning and evaluation. */
  readonly seconds: number;
}

export function disposePrograms({ programs, calibrationPrograms, asked, denseStates }: SweepInputs): void {
  programs.dispose();
  denseStates?.dispose();
  if (asked) disposePacked(asked);
  if (calibrationPrograms !== programs) calibrationPrograms.dispose();
}
