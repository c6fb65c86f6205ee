import type { EvaluationResult } from './resultSchema.ts';

/**
 * The same loss told for words and for bytes, which models with other tokenizers can be compared by: exp(loss · tokens / words), and for
 * bytes, with the counts of the whole text (lm-evaluation-harness's `word_perplexity` and `byte_perplexity`, whose windows are others).
 * Exact where the whole text is evaluated; of a part as if it had as many tokens to a word as the whole.
 *
 * @returns undefined without a perplexity, and for results of before the counts were kept
 */
export function otherPerplexities(
  { provenance: { textTokens, textWords, textBytes } }: Pick<EvaluationResult, 'provenance'>,
  perplexity: number | undefined,
): { readonly word: number; readonly byte: number } | undefined {
  if (perplexity === undefined || textTokens === undefined) return undefined;
  if (textWords === undefined || textBytes === undefined) return undefined;
  const loss = Math.log(perplexity) * textTokens;
  return { word: Math.exp(loss / textWords), byte: Math.exp(loss / textBytes) };
}

/** Words of a text, as lm-evaluation-harness counts them: the pieces that white space splits it into, empty ones at its ends among them. */
export function countWords(text: string): number {
  const spaces = /\s+/g;
  let words = 1;
  while (spaces.test(text)) words++;
  return words;
}
