import type { ModelMask } from '../../experiment/structureSchema.ts';
import type { Sequences } from '../../experiment/measuringSchema.ts';
import type { PackedValues, MaskEvent } from './events.ts';
import type { ComponentsOpening } from '../lifecycle/events.ts';
import type { MaskResume } from './resume.ts';

/**
 * All that a search for masks asks of the world: the same questions in the same order for the same plan and the same answers (see
 * `SearchEffects`). A run that was interrupted goes on from its last `probabilities` event, and is answered from its journal for the
 * steps after that.
 */
export interface MaskEffects {
  /** What the components score; asked once, where probabilities start from a metric and no checkpoint is there to go on from. */
  scores(): Promise<PackedValues>;
  /**
   * Loss of each mask on one batch: mean over sequences of the calibration text, or over documents of the tasks. A loss that is not finite
   * is null.
   */
  losses(step: number, masks: readonly ModelMask[], batch: Sequences): Promise<StepLosses>;
  /** Fitness of a mask on the whole fitness text, or on all documents, before step `step`. */
  evaluate(step: number, mask: ModelMask): Promise<MaskFitness>;
  /** Settles when the event is kept. The loop emits `step` and `probabilities`. */
  emit(event: MaskEvent): Promise<void>;
}

/** What a mask is worth. */
export interface MaskFitness {
  /** Null where it is not finite. */
  readonly fitness: number | null;
  /** On the tasks, where they are the objective. */
  readonly accuracy?: number;
}

export interface StepLosses {
  readonly losses: readonly (number | null)[];
  readonly seconds: number;
}

export interface MaskSearchOptions {
  readonly opening: ComponentsOpening;
  /** What the journal has: the search goes on after the last checkpoint, without asking or telling again what came before. */
  readonly resume?: MaskResume;
  /** Looked at between two questions; the search then fails with the code `cancelled`. */
  readonly signal?: AbortSignal;
}
