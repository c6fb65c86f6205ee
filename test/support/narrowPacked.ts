import { narrowedRows } from '../../src/engine/scoring/narrowedRows.ts';
import type { PackedSequences } from '../../src/engine/scoring/packedSequences.ts';

/** Packed sequences of which the last block gives only what is asked about, wherever that is less, however few they are; or all of everything. */
export function narrowPacked(packed: PackedSequences, isNarrowed: boolean): PackedSequences {
  const groups = packed.groups.map((group) => ({
    ...group,
    batches: group.batches.map(({ rows, places }) => {
      return { rows, places: { ...places, narrowed: isNarrowed ? narrowedRows(rows, Infinity) : undefined } };
    }),
  }));
  return { ...packed, groups };
}
