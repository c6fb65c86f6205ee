import type { SpeedRequest, SpeedRound, SpeedSubject, Verification, VerifyRequest } from './exportSchema.ts';

/** An engine in a process of its own, which ends with `dispose`. */
export interface FreshEngine {
  verify(request: VerifyRequest, hooks?: Cancellable): Promise<Verification>;
  openSpeed(request: SpeedRequest, hooks?: Cancellable): Promise<SpeedSubject>;
  speedRound(hooks?: Cancellable): Promise<SpeedRound>;
  dispose(): Promise<void>;
}

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}
