import type { StepEvent } from '../experiment/structureEvents.ts';

/** Steps in a row as columns: thousands of them travel and are drawn in an instant. */
export interface StepColumns {
  /** Number of the first step. */
  readonly first: number;
  /** Mean, lowest and highest of the finite losses of each step; null where none is finite. */
  readonly means: readonly (number | null)[];
  readonly lowest: readonly (number | null)[];
  readonly highest: readonly (number | null)[];
  readonly baselines: readonly number[];
  /** Losses that were not finite, in all of these steps. */
  readonly leftOut: number;
}

/** @param steps whose numbers follow each other; at least one */
export function stepColumns(steps: readonly StepEvent[]): StepColumns {
  const finite = steps.map(({ losses }) => losses.filter((loss) => loss !== null));
  const over = (of: (losses: readonly number[]) => number): (number | null)[] =>
    finite.map((losses) => (losses.length === 0 ? null : rounded(of(losses))));
  return {
    first: steps[0]!.step,
    means: over((losses) => losses.reduce((sum, loss) => sum + loss, 0) / losses.length),
    lowest: over((losses) => Math.min(...losses)),
    highest: over((losses) => Math.max(...losses)),
    baselines: steps.map(({ baseline }) => rounded(baseline)),
    leftOut: steps.reduce((sum, { losses }, i) => sum + losses.length - finite[i]!.length, 0),
  };
}

/** A chart shows no more. */
function rounded(loss: number): number {
  return Number(loss.toPrecision(6));
}
