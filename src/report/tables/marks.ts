import type { Cell } from '../document.ts';

/** Marks the lowest number of a column, and with `second` the one after it. Equal ones are marked alike; what is not finite never is. */
export function marked(
  cells: readonly Cell[],
  values: readonly (number | undefined)[],
  { second, best = 'lowest' }: { readonly second: boolean; readonly best?: 'lowest' | 'highest' },
): readonly Cell[] {
  const sign = best === 'lowest' ? 1 : -1;
  const known = values.filter((value) => value !== undefined && Number.isFinite(value));
  const ranked = [...new Set(known)].sort((a, b) => sign * (a! - b!));
  // A column of one number has no best.
  if (known.length < 2) return cells;
  return cells.map((cell, i) => {
    if (values[i] === undefined) return cell;
    if (values[i] === ranked[0]) return { ...cell, mark: 'best' };
    return second && values[i] === ranked[1] ? { ...cell, mark: 'second' } : cell;
  });
}
