import { fitnessIn } from '../lifecycle/objective.ts';
import type { AnyFitness } from '../lifecycle/objective.ts';
import type { ProbabilitiesEvent } from './events.ts';

/** What a search for masks needs of its checkpoints to go on and to end: the last one, and the one that did best. */
export interface MaskResume {
  readonly last: ProbabilitiesEvent;
  readonly best: ProbabilitiesEvent;
}

/** The same, after one more checkpoint. */
export function resumeAfter(before: MaskResume | undefined, last: ProbabilitiesEvent): MaskResume {
  return { last, best: before ? better(before.best, last) : last };
}

/** The checkpoint whose masks do best on the fitness text, the latest of equal ones. @param checkpoints in their order */
export function bestOf<Checkpoint extends AnyFitness>(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  return checkpoints.length === 0 ? undefined : checkpoints.reduce(better);
}

function better<Checkpoint extends AnyFitness>(earlier: Checkpoint, later: Checkpoint): Checkpoint {
  return (fitnessIn(later) ?? Infinity) <= (fitnessIn(earlier) ?? Infinity) ? later : earlier;
}
