import type { ErrorData } from '../../base/errors.ts';
import type { RunActivity } from '../../view/panelMessages.ts';
import type { SearchStatus } from '../../search/lifecycle/state.ts';

/** What this window's own worker is doing with a run. */
export type Driving = Extract<RunActivity, { kind: 'starting' | 'running' | 'pausing' }>;

export interface RunFacts {
  /** As the journal's events have it. */
  readonly status: SearchStatus;
  /** Whether some process drives the run. */
  readonly isDriven: boolean;
  /** Undefined where this window does not drive it. */
  readonly driving: Driving | undefined;
  /** Why this window could not drive it, or not read it. */
  readonly error: ErrorData | undefined;
  /** What the journal's last word was, where that is a failure. */
  readonly failure: ErrorData | undefined;
}

/** What a run is doing: the journal says how far it is, the lock whether anybody works on it, and this window what it does itself. */
export function runState({ status, isDriven, driving, error, failure }: RunFacts): RunActivity {
  if (status === 'finished') return { kind: 'finished' };
  if (driving) return driving;
  if (isDriven) return { kind: 'elsewhere' };
  if (error) return { kind: 'failed', error };
  if (status === 'failed' && failure) return { kind: 'failed', error: failure };
  return { kind: status === 'paused' ? 'paused' : 'interrupted' };
}
