import type { EvaluationProgress } from '../../experiment/resultSchema.ts';

/** Called after every step (one program run over one batch), to report progress, yield and look at cancellation. */
export type Step = (detail: string) => Promise<void>;

/** What whoever asks for work in steps can do meanwhile. */
export interface StepHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}
