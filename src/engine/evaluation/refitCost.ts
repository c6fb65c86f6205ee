import { sizeOf } from '../graph/shape.ts';
import type { BlockLayout } from '../families/family.ts';
import { readers } from '../structure/metricScorer.ts';
import type { SweepInputs } from './sweepInputs.ts';
import { gramWork, updateMemory, type UpdateMemory } from './updateCost.ts';

/** Multiplications and additions of refitting one model, beside carrying the calibration samples through it. */
export function refitWork({ weights, calibration }: SweepInputs): number {
  const layouts = weights.layouts.map(refitted);
  const tokens = calibration.reduce((sum, { length }) => sum + length, 0);
  const solved = layouts
    .flatMap(({ parameters }) => parameters)
    // A third of a cube each: the factor, its inverse, their product. Then two products with the whole layer.
    .reduce((sum, { shape }) => sum + shape[1]! ** 3 + 4 * sizeOf(shape) * shape[1]!, 0);
  return tokens * gramWork(layouts, () => 1) + solved;
}

/** What H of one block's output projections takes, with what is computed of it; undefined where all blocks are without them. */
export function refitMemory(layouts: readonly BlockLayout[]): UpdateMemory | undefined {
  return updateMemory(layouts.map(refitted), false);
}

function refitted(layout: BlockLayout): BlockLayout {
  return { ...layout, parameters: readers(layout) };
}
