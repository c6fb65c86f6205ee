import type { WeightUpdate } from '../../experiment/updates.ts';
import { sizeOf } from '../graph/shape.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import { inputOf } from './blockGrams.ts';

/** What reads one input of a block, and how wide that is. */
interface UpdatedInput {
  /** One of the layers that read it. */
  readonly layer: Parameter;
  readonly size: number;
  /** Weights of all of them. */
  readonly weights: number;
}

/** Inputs of a block's linear layers. */
function inputsOf({ parameters }: BlockLayout): readonly UpdatedInput[] {
  const found = new Map<string, UpdatedInput>();
  for (const layer of parameters) {
    if (!layer.linear) continue;
    const before = found.get(inputOf(layer))?.weights ?? 0;
    found.set(inputOf(layer), { layer, size: layer.shape[1]!, weights: before + sizeOf(layer.shape) });
  }
  return [...found.values()];
}

/**
 * Multiplications and additions of H for one token, in all blocks: 2 · in² for each input.
 *
 * @param expertShare share of a block's tokens that go through one of its experts
 */
export function gramWork(layouts: readonly BlockLayout[], expertShare: (layout: BlockLayout) => number): number {
  const ofBlock = (layout: BlockLayout): number =>
    inputsOf(layout).reduce(
      (sum, { layer, size }) => sum + 2 * size ** 2 * (layer.expert === undefined ? 1 : expertShare(layout)),
      0,
    );
  return layouts.reduce((sum, layout) => sum + ofBlock(layout), 0);
}

/** Those of what an update computes of every H once: a factor and its inverse, or an inverse. */
export function factorWork(layouts: readonly BlockLayout[], update: WeightUpdate): number {
  const cubes = layouts.flatMap(inputsOf).reduce((sum, { size }) => sum + size ** 3, 0);
  return FACTORS[update.method] * cubes;
}

/** Those of updating every layer. */
export function changeWork(layouts: readonly BlockLayout[], update: WeightUpdate): number {
  const products = layouts.flatMap(inputsOf).reduce((sum, { size, weights }) => sum + weights * size, 0);
  // SparseGPT changes half of the matrix for each column; a step of ADMM is a product of the whole.
  return products * (update.method === 'sparsegpt' ? 1 : 2 * (update.iterations + 1));
}

/** In cubes of the input's width: Cholesky is a third, and so are the inverse of a triangle and its product with itself. */
const FACTORS: Readonly<Record<WeightUpdate['method'], number>> = { sparsegpt: 4 / 3, admm: 2 };

/** The memory that H and what is computed of it take: of one block at a time. */
export interface UpdateMemory {
  readonly bytes: number;
  /** The widest input: H of it alone takes this. */
  readonly widest: { readonly layer: Parameter; readonly bytes: number };
}

/** @param shared whether what is computed of H is kept for several evaluations */
export function updateMemory(layouts: readonly BlockLayout[], shared: boolean): UpdateMemory | undefined {
  const bytesOf = ({ size }: UpdatedInput): number => 4 * size ** 2;
  let most: UpdateMemory | undefined;
  for (const layout of layouts) {
    const inputs = [...inputsOf(layout)].sort((a, b) => b.size - a.size);
    const [widest] = inputs;
    if (!widest) continue;
    const all = inputs.reduce((sum, input) => sum + bytesOf(input), 0);
    // The strips of before and after a batch, and H of them; a factor, and while it is computed and used what ADMM was measured to take of a wide input.
    const bytes = 2 * all + 4 * bytesOf(widest) + (shared ? all : bytesOf(widest));
    if (bytes > (most?.bytes ?? 0)) most = { bytes, widest: { layer: widest.layer, bytes: bytesOf(widest) } };
  }
  return most;
}
