import type { PackedRow } from './packedRow.ts';

/** Sizes there are, in shares of a batch: each is a program. Of more than the largest nothing is left out. */
const [SHARE, LARGEST] = [1 / 8, 3 / 4];

/** Batches that a program has to be for: it takes as long to make as two of them take in a block. */
const BATCHES = 8;

/**
 * The rows of a batch's states after the last block that are asked about: all that has to be computed there, behind attention. They ascend;
 * where places are left over they say the first row.
 *
 * @param rows of the batch, of one length
 * @param batches of that length
 * @returns undefined where it is not worth a program
 */
export function narrowedRows(rows: readonly PackedRow[], batches: number): Int32Array | undefined {
  if (batches < BATCHES) return undefined;
  const length = rows[0]!.ids.length;
  const all = rows.length * length;
  const places = new Set(rows.flatMap(({ asked }, index) => asked.map(({ at }) => index * length + at)));
  const step = Math.ceil(all * SHARE);
  const size = step * Math.max(1, Math.ceil(places.size / step));
  if (size > all * LARGEST) return undefined;
  const sorted = Int32Array.from(places).sort();
  const narrowed = new Int32Array(size).fill(sorted[0]!);
  narrowed.set(sorted);
  return narrowed;
}
