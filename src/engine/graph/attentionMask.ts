/** Leaves nothing of a score after the softmax, in float16 too. */
export const HIDDEN = -60_000;

/** What is added to the scores of queries `begin …` and keys `first …` [rows · columns]: 0 where a query sees a key, else {@link HIDDEN}. */
export function causalMask(
  { begin, rows }: { readonly begin: number; readonly rows: number },
  { first, columns }: { readonly first: number; readonly columns: number },
  window = Infinity,
): number[] {
  return Array.from({ length: rows * columns }, (_, i) => {
    const [query, key] = [begin + Math.floor(i / columns), first + (i % columns)];
    return key <= query && key > query - window ? 0 : HIDDEN;
  });
}
