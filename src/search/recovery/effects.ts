import type { HeldOut, RecoveryEvent, RecoveryOpening, Trained } from './events.ts';

/**
 * All that a recovery asks of the world: the same questions in the same order for the same plan and the same answers (see `SearchEffects`). One
 * that goes on asks all of them again; what its journal has answers for is answered from there.
 */
export interface RecoveryEffects {
  /** Trains on from the state after `from` steps, and keeps the one after `to` where all losses were finite. */
  train(from: number, to: number): Promise<Trained>;
  /** What the state after so many steps does on the held-out text. */
  validate(step: number): Promise<HeldOut>;
  /** Settles when the event is kept. */
  emit(event: RecoveryEvent): Promise<void>;
}

export interface RecoveryOptions {
  readonly opening: RecoveryOpening;
  /** Looked at between two questions; the recovery then fails with the code `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}
