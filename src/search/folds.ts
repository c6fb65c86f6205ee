import type { EventOf, RunEvent, RunKind } from './kinds.ts';
import { foldMaskEvent, newMaskState } from './masks/state.ts';
import type { MaskState } from './masks/state.ts';
import { foldMetricEvent, newMetricState } from './metrics/state.ts';
import type { MetricState } from './metrics/state.ts';
import { foldRateEvent, newRateState } from './rates/state.ts';
import type { RateState } from './rates/state.ts';
import { foldRecoveryEvent, newRecoveryState } from './recovery/state.ts';
import type { RecoveryState } from './recovery/state.ts';

interface States {
  readonly metrics: MetricState;
  readonly rates: RateState;
  readonly masks: MaskState;
  readonly recovery: RecoveryState;
}

/** All that is known of a run from its events. */
export type StateOf<Kind extends RunKind> = States[Kind];
export type AnySearchState = StateOf<RunKind>;

const FOLDS: {
  readonly [Kind in RunKind]: {
    readonly empty: () => StateOf<Kind>;
    readonly fold: (state: StateOf<Kind>, event: EventOf<Kind>, at: number) => StateOf<Kind>;
  };
} = {
  metrics: { empty: newMetricState, fold: foldMetricEvent },
  rates: { empty: newRateState, fold: foldRateEvent },
  masks: { empty: newMaskState, fold: foldMaskEvent },
  recovery: { empty: newRecoveryState, fold: foldRecoveryEvent },
};

export function newState<Kind extends RunKind>(kind: Kind): StateOf<Kind> {
  return FOLDS[kind].empty();
}

/**
 * Takes one event in, in the order of the journal; the state grows in place. An event of another kind of search has no business here.
 *
 * @param at when it was kept, in milliseconds since 1970
 */
export function foldEvent(state: AnySearchState, event: RunEvent, at: number): void {
  // A run's events are those of its kind: a journal is read by the schema of that kind, which the compiler cannot follow.
  FOLDS[state.kind].fold(state as never, event as never, at);
}
