import { emptyState, foldLifecycle, tick } from '../lifecycle/state.ts';
import type { Growing, SearchState } from '../lifecycle/state.ts';
import { addStep } from '../lifecycle/thinnedLosses.ts';
import type {
  RecoveryEvent,
  RecoveryFinished,
  RecoveryOpening,
  StoppedEvent,
  TrainedEvent,
  ValidatedEvent,
} from './events.ts';

/** All that is known of a recovery from its events. It stays small: of losses it has a few thousand points at most. */
export interface RecoveryState extends SearchState<RecoveryOpening> {
  readonly kind: 'recovery';
  /** Steps whose losses are known. */
  readonly steps: number;
  /** In the order of the steps, each the mean over as many of them; the last one may be of fewer. */
  readonly losses: readonly TrainingPoint[];
  readonly stepsOfPoint: number;
  /** What was seen of the held-out text, from before the first step on. */
  readonly validations: readonly Validation[];
  /** Seconds that training and looking have taken. */
  readonly seconds: { readonly training: number; readonly looking: number };
  /** Learning rate of the last step. */
  readonly rate: number | undefined;
  readonly stopped: StoppedEvent | undefined;
  readonly finished: RecoveryFinished | undefined;
}

/** Some steps in a row. */
export interface TrainingPoint {
  /** Steps that are done after the last of them. */
  readonly step: number;
  /** How many of them had a finite loss, and its mean; null where none had. */
  readonly count: number;
  readonly loss: number | null;
}

export type Validation = Omit<ValidatedEvent, 'kind' | 'seconds'>;

export function newRecoveryState(): RecoveryState {
  return {
    kind: 'recovery',
    ...emptyState(),
    ...{ steps: 0, stepsOfPoint: 1, losses: [], validations: [], rate: undefined },
    ...{ seconds: { training: 0, looking: 0 }, stopped: undefined, finished: undefined },
  };
}

/**
 * The one fold over the events of a recovery; what was told before is passed over.
 *
 * @param at when the event was kept, in milliseconds since 1970
 * @returns the same state, grown
 */
export function foldRecoveryEvent(state: RecoveryState, event: RecoveryEvent, at: number): RecoveryState {
  const growing = state as Growing<RecoveryState>;
  tick(growing, event.kind, at);
  if (event.kind === 'trained') foldTrained(growing, event);
  else if (event.kind === 'validated') {
    const { step, loss, perplexity, isBest, seconds } = event;
    if (step <= (growing.validations.at(-1)?.step ?? -1)) return state;
    growing.validations.push({ step, loss, perplexity, isBest });
    growing.seconds = { ...growing.seconds, looking: growing.seconds.looking + seconds };
  } else if (event.kind === 'stopped') growing.stopped = event;
  else {
    if (event.kind === 'opened') growing.validations = [beforeTraining(event)];
    if (event.kind === 'finished') growing.finished = event;
    foldLifecycle(growing, event);
  }
  return state;
}

/** The state that is kept, as far as it is known; undefined before the model is loaded. */
export function bestValidation({ validations }: Pick<RecoveryState, 'validations'>): Validation | undefined {
  return validations.findLast(({ isBest }) => isBest) ?? validations[0];
}

function beforeTraining({ before }: RecoveryOpening): Validation {
  const perplexity = before === null ? Infinity : Math.exp(before);
  return { step: 0, loss: before, perplexity: Number.isFinite(perplexity) ? perplexity : null, isBest: true };
}

function foldTrained(state: Growing<RecoveryState>, { from, losses, seconds, rate }: TrainedEvent): void {
  if (from < state.steps) return;
  for (const loss of losses) {
    addStep(state, { step: state.steps + 1, count: loss === null ? 0 : 1, loss }, joined);
  }
  state.seconds = { ...state.seconds, training: state.seconds.training + seconds };
  state.rate = rate;
}

function joined(a: TrainingPoint, b: TrainingPoint): TrainingPoint {
  const count = a.count + b.count;
  const sum = (a.loss ?? 0) * a.count + (b.loss ?? 0) * b.count;
  return { step: b.step, count, loss: count === 0 ? null : sum / count };
}
