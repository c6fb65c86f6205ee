import type { ComponentsOpening } from '../lifecycle/events.ts';
import { emptyState, foldLifecycle, tick } from '../lifecycle/state.ts';
import type { Growing, SearchState } from '../lifecycle/state.ts';
import { addStep } from '../lifecycle/thinnedLosses.ts';
import type { MaskEvent, MaskFinished, ProbabilitiesEvent, StepEvent } from './events.ts';
import { checkpointOf } from './checkpoint.ts';
import type { MaskCheckpoint } from './checkpoint.ts';
import { isLoss } from './policyGradient.ts';
import { bestOf } from './resume.ts';

/**
 * All that is known of a search for masks from its events. It stays small: of keep-probabilities it has the latest, of losses a few thousand
 * points at most. What there is to see of probabilities says `pictureOf`.
 */
export interface MaskState extends SearchState<ComponentsOpening> {
  readonly kind: 'masks';
  /** Steps that are done. */
  readonly steps: number;
  /** In the order of the steps, each the mean over as many of them; the last one may be of fewer. */
  readonly losses: readonly LossPoint[];
  readonly stepsOfPoint: number;
  /** Losses that were left out because they were not finite. */
  readonly leftOut: number;
  readonly checkpoints: readonly MaskCheckpoint[];
  /** The last checkpoint, with the probabilities. */
  readonly latest: ProbabilitiesEvent | undefined;
  readonly finished: MaskFinished | undefined;
}

/** Some steps in a row. */
export interface LossPoint {
  /** The last of them. */
  readonly step: number;
  /** How many of them had a finite loss. */
  readonly count: number;
  /** Mean of the finite losses of these, and of the moving averages that they were compared with; null where there are none. */
  readonly loss: number | null;
  readonly baseline: number | null;
}

export function newMaskState(): MaskState {
  return {
    kind: 'masks',
    ...emptyState(),
    ...{ steps: 0, stepsOfPoint: 1, leftOut: 0, losses: [], checkpoints: [], latest: undefined, finished: undefined },
  };
}

/**
 * The one fold over the events of a search for masks; steps and checkpoints that were told before are passed over.
 *
 * @param at when the event was kept, in milliseconds since 1970
 * @returns the same state, grown
 */
export function foldMaskEvent(state: MaskState, event: MaskEvent, at: number): MaskState {
  const growing = state as Growing<MaskState>;
  tick(growing, event.kind, at);
  if (event.kind === 'scores') return state;
  if (event.kind === 'step') foldStep(growing, event);
  else if (event.kind === 'probabilities') {
    const { step } = event;
    if (step <= (growing.checkpoints.at(-1)?.step ?? -1)) return state;
    growing.checkpoints.push(checkpointOf(event));
    growing.latest = event;
  } else {
    if (event.kind === 'finished') growing.finished = event;
    foldLifecycle(growing, event);
  }
  return state;
}

/** The checkpoint whose masks did best on the fitness text, the latest of equal ones: a finished search has kept these. */
export function bestCheckpoint({ checkpoints }: Pick<MaskState, 'checkpoints'>): MaskCheckpoint | undefined {
  return bestOf(checkpoints);
}

function foldStep(state: Growing<MaskState>, { step, losses, baseline }: StepEvent): void {
  if (step < state.steps) return;
  const finite = losses.filter(isLoss);
  state.leftOut += losses.length - finite.length;
  const loss = finite.length === 0 ? null : finite.reduce((sum, value) => sum + value, 0) / finite.length;
  addStep(state, { step, count: loss === null ? 0 : 1, loss, baseline }, joined);
}

function joined(a: LossPoint, b: LossPoint): LossPoint {
  const count = a.count + b.count;
  const mean = (of: (point: LossPoint) => number | null): number | null =>
    count === 0 ? null : [a, b].reduce((sum, point) => sum + (of(point) ?? 0) * point.count, 0) / count;
  return { step: b.step, count, loss: mean(({ loss }) => loss), baseline: mean(({ baseline }) => baseline) };
}
