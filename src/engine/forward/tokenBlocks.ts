import { tooShort } from '../corpus/cutSamples.ts';
import type { EncodeHooks } from '../tokenizer/encoding.ts';
import type { TokenisedText } from './tokenisedText.ts';

/**
 * The evaluation blocks of the papers' protocol: the token ids of the whole text, cut into ⌊len / length⌋ blocks from the start. Of a text no
 * more tokens are made than those blocks have.
 *
 * @param settings.blocks how many to take; 0 takes all
 * @throws EspalierError `corpus/too-short` when there are fewer, `checkpoint/tokenizer`, `cancelled`
 */
export async function evaluationBlocks(
  text: TokenisedText,
  { length, blocks }: { readonly length: number; readonly blocks: number },
  file: string,
  hooks?: EncodeHooks,
): Promise<Int32Array[]> {
  const ids = await text.first(blocks === 0 ? Infinity : blocks * length, hooks);
  const available = Math.floor(ids.length / length);
  if (available < Math.max(1, blocks)) {
    throw tooShort(file, `at least ${Math.max(1, blocks)} blocks of ${length} tokens`, `${ids.length} tokens`);
  }
  return Array.from({ length: blocks || available }, (_, i) => ids.subarray(i * length, (i + 1) * length));
}
