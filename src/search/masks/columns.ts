import type { StepEvent } from './events.ts';

/** Steps in a row as columns: thousands of them travel in an instant. Losses have as many digits as a chart shows. */
export interface StepColumns {
  /** Number of the first step. */
  readonly first: number;
  /** Losses of all steps, one after the other, and how many each step has. */
  readonly losses: readonly (number | null)[];
  readonly counts: readonly number[];
  readonly baselines: readonly (number | null)[];
}

/** @param steps whose numbers follow each other; at least one */
export function packSteps(steps: readonly StepEvent[]): StepColumns {
  return {
    first: steps[0]!.step,
    losses: steps.flatMap(({ losses }) => losses.map(rounded)),
    counts: steps.map(({ losses }) => losses.length),
    baselines: steps.map(({ baseline }) => rounded(baseline)),
  };
}

export function unpackSteps({ first, losses, counts, baselines }: StepColumns): StepEvent[] {
  let begin = 0;
  return counts.map((count, i) => ({
    kind: 'step',
    step: first + i,
    losses: losses.slice(begin, (begin += count)),
    baseline: baselines[i]!,
    seconds: 0,
  }));
}

function rounded(loss: number | null): number | null {
  return loss === null ? null : Number(loss.toPrecision(6));
}
