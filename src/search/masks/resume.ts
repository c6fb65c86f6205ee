import type { ProbabilitiesEvent } from '../../experiment/structureEvents.ts';

/** What a search for masks needs of its checkpoints to go on and to end: the last one, and the one that did best. */
export interface MaskResume {
  readonly last: ProbabilitiesEvent;
  readonly best: ProbabilitiesEvent;
}

/** The same, after one more checkpoint. */
export function resumeAfter(before: MaskResume | undefined, last: ProbabilitiesEvent): MaskResume {
  return { last, best: before && !isAsGood(last, before.best) ? before.best : last };
}

/** Whether the masks of a checkpoint do at least as well on the fitness text as those of an earlier one. */
export function isAsGood(later: Measured, earlier: Measured): boolean {
  return (later.perplexity ?? Infinity) <= (earlier.perplexity ?? Infinity);
}

type Measured = Pick<ProbabilitiesEvent, 'perplexity'>;
