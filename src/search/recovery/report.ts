import type { Recovery } from '../../experiment/recovery.ts';
import type { RecoveryReport } from '../../experiment/recoverySchema.ts';
import type { RecoveryOpening, StoppedEvent } from './events.ts';
import type { RecoveryOutcome } from './runRecovery.ts';

/** All that is known of a recovery when it is over. */
export interface RecoveryEnd {
  readonly opening: Pick<RecoveryOpening, 'trainable' | 'sequences' | 'densePerplexity' | 'before'>;
  readonly stopped: Omit<StoppedEvent, 'kind'>;
  readonly outcome: Pick<RecoveryOutcome, 'kept' | 'loss'>;
}

/** What a result says of the recovery that it comes from, but for the perplexity of the model before on the text of the result. */
export function recoveryReport(
  recovery: Recovery,
  { opening, stopped, outcome }: RecoveryEnd,
): Omit<RecoveryReport, 'before'> {
  const { trainable, sequences, densePerplexity } = opening;
  return {
    ...{ recovery, trainable, sequences, steps: stopped.step, kept: outcome.kept },
    ...{ reason: stopped.reason, detail: stopped.detail },
    heldOut: {
      dense: finite(densePerplexity),
      before: perplexityOf(opening.before),
      after: perplexityOf(outcome.loss),
    },
  };
}

function perplexityOf(loss: number | null): number | null {
  return loss === null ? null : finite(Math.exp(loss));
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
