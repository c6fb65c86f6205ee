import type { PackedBatch, PackedGroup, PackedSequences } from './packedSequences.ts';

/** Batches of one length whose states are read and written together. */
export interface Portion extends Pick<PackedGroup, 'programs' | 'batches'> {
  /** Tokens of all portions before it. */
  readonly first: number;
}

/** Bytes of a portion, where states lie in a file. */
const BYTES = 2 ** 26;

/** All batches, in their order: in portions of some 64 MB where states lie in a file, else a portion for each length. */
export function portionsOf({ groups, scratchFolder }: PackedSequences, hidden: number): readonly Portion[] {
  const portions: Portion[] = [];
  let first = 0;
  for (const { length, programs, batches } of groups) {
    const bytes = 4 * hidden * length * programs.batch;
    const size = scratchFolder === undefined ? batches.length : Math.max(1, Math.floor(BYTES / bytes));
    for (let begin = 0; begin < batches.length; begin += size) {
      const own = batches.slice(begin, begin + size);
      portions.push({ programs, batches: own, first });
      first += tokensOf(own);
    }
  }
  return portions;
}

function tokensOf(batches: readonly PackedBatch[]): number {
  return batches.reduce((sum, { rows }) => sum + rows.reduce((own, { ids }) => own + ids.length, 0), 0);
}
