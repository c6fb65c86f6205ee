import { printBudget } from './budget.ts';
import { MAX_GROUP } from './limits.ts';
import type { Sparsity, UnstructuredSparsity, WeightSparsity } from './sparsitySchema.ts';

/** Where nobody says how much: Pruner-Zero, Wanda and their baselines are compared at half the weights. */
export const DEFAULT_SPARSITY: UnstructuredSparsity = { kind: 'unstructured', share: 0.5 };

/** `50%`, `0.5` or `2:4`, all that can be asked of single weights; undefined when it is none of them or out of range. */
export function parseSparsity(text: string): WeightSparsity | undefined {
  const trimmed = text.trim();
  const ratio = /^(\d{1,3}):(\d{1,3})$/.exec(trimmed);
  if (ratio) {
    const [keep, of] = [Number(ratio[1]), Number(ratio[2])];
    return keep >= 1 && keep < of && of <= MAX_GROUP ? { kind: 'n:m', keep, of } : undefined;
  }
  const percent = /^(\d+(?:\.\d*)?|\.\d+)\s*(%?)$/.exec(trimmed);
  if (!percent) return undefined;
  const share = Number(percent[1]) / (percent[2] === '%' ? 100 : 1);
  return share >= 0 && share < 1 ? { kind: 'unstructured', share } : undefined;
}

/** The spelling that {@link parseSparsity} reads back, and `parseBudget`: `50%`, `2:4`, `1.5x faster`. */
export function printSparsity(sparsity: Sparsity): string {
  if (sparsity.kind === 'budget') return printBudget(sparsity.budget);
  if (sparsity.kind === 'n:m') return `${sparsity.keep}:${sparsity.of}`;
  return `${Number((sparsity.share * 100).toPrecision(12))}%`;
}
