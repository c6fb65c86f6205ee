import type { BlockLayout, Parameter } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';

/** Prunable weights of the layers that candidates are compared on: about a fiftieth of a second of scoring. */
const PROBE_WEIGHTS = 2_000_000;

/** Layers of one block. */
export interface ProbeBlock {
  readonly block: number;
  readonly layers: readonly Parameter[];
}

/**
 * Whole layers to compare metrics on (scores may depend on all of a layer: norms, extremes), from both ends of the model and its
 * middle first; of a small model all.
 */
export function probeLayers(layouts: readonly BlockLayout[]): readonly ProbeBlock[] {
  const order = new Set([0, layouts.length - 1, layouts.length >> 1, ...layouts.keys()]);
  const blocks: ProbeBlock[] = [];
  let [weights, count] = [0, 0];
  // Two layers at least: one layer's input may be special.
  const enough = (): boolean => count >= 2 && weights >= PROBE_WEIGHTS;
  for (const block of order) {
    if (enough()) break;
    const layers: Parameter[] = [];
    for (const parameter of layouts[block]!.parameters) {
      if (!parameter.linear || enough()) continue;
      layers.push(parameter);
      weights += sizeOf(parameter.shape);
      count++;
    }
    blocks.push({ block, layers });
  }
  return blocks;
}
