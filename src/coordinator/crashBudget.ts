import type { EspalierError } from '../base/errors.ts';
import { gaveUpError } from '../protocol/workerErrors.ts';

export interface CrashLimits {
  /** Restarts within `restartWindow` milliseconds before the pool gives up. */
  readonly restarts: number;
  readonly restartWindow: number;
  /** Milliseconds to wait before the second restart of a row; doubles from restart to restart. */
  readonly backoff: number;
}

export const CRASH_LIMITS: CrashLimits = { restarts: 5, restartWindow: 3 * 60_000, backoff: 100 };

/**
 * How often the workers of a pool may still end by themselves. Ends that a quarantined metric explains do not count, as long as
 * other work succeeds in between: where every metric ends its worker, it is not the metrics.
 */
export class CrashBudget {
  private readonly limits: CrashLimits;
  private crashes: { readonly at: number; readonly reason: EspalierError }[] = [];
  /** Metrics in a row that were quarantined, with nothing done in between. */
  private excused = 0;

  constructor(limits: CrashLimits) {
    this.limits = limits;
  }

  /** @returns milliseconds to wait before starting a worker again, or the error to give up with */
  note(at: number, reason: EspalierError): number | EspalierError {
    this.crashes = [...this.crashes.filter((crash) => at - crash.at < this.limits.restartWindow), { at, reason }];
    const count = this.crashes.length;
    if (count > this.limits.restarts) return gaveUpError(this.limits, reason);
    return count === 1 ? 0 : this.limits.backoff * 2 ** (count - 2);
  }

  /** The workers that ended with these reasons were ended by a metric that is not tried again. */
  forgive(reasons: readonly EspalierError[]): void {
    if (this.excused++ >= this.limits.restarts) return;
    this.crashes = this.crashes.filter(({ reason }) => !reasons.includes(reason));
  }

  /** A worker has done something. */
  succeeded(): void {
    this.excused = 0;
  }
}
