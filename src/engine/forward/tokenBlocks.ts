import { tooShort } from '../corpus/cutSamples.ts';

/**
 * The evaluation blocks of the papers' protocol: the token ids of the whole text, cut into ⌊len / length⌋ blocks from the start.
 *
 * @param blocks how many to take; 0 takes all
 * @throws EspalierError `corpus/too-short` when there are fewer
 */
export function evaluationBlocks(ids: Int32Array, length: number, blocks: number, file: string): Int32Array[] {
  const available = Math.floor(ids.length / length);
  if (available < Math.max(1, blocks)) {
    throw tooShort(file, `at least ${Math.max(1, blocks)} blocks of ${length} tokens`, `${ids.length} tokens`);
  }
  return Array.from({ length: blocks || available }, (_, i) => ids.subarray(i * length, (i + 1) * length));
}
