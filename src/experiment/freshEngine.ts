import type { SpeedRequest, SpeedRound, SpeedSubject, Verification, VerifyRequest } from './exportSchema.ts';

/** An engine in a process of its own, which ends with `dispose`. */
export interface FreshEngine {
  verify(request: VerifyRequest, signal?: AbortSignal): Promise<Verification>;
  openSpeed(request: SpeedRequest, signal?: AbortSignal): Promise<SpeedSubject>;
  speedRound(signal?: AbortSignal): Promise<SpeedRound>;
  dispose(): Promise<void>;
}
