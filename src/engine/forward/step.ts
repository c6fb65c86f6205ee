import type { EvaluationProgress } from '../../experiment/resultSchema.ts';
import type { Pause } from '../runtime/pause.ts';

/** Called after every step (one program run over one batch), to report progress, yield and look at cancellation. */
export interface Step {
  (detail: string): Promise<void>;
  /** Amid what counts as one step but may take minutes; absent where nobody can cancel. */
  readonly pause?: Pause;
}

/** What whoever asks for work in steps can do meanwhile. */
export interface StepHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}
