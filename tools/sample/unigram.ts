/**
 * Perplexity of a text under the frequencies of single tokens in another: what a model reaches that knows the words and nothing
 * about their order. Each count is one larger, so that no token is impossible.
 *
 * @param vocabulary number of tokens there are
 */
export function unigramPerplexity(text: Int32Array, train: Int32Array, vocabulary: number): number {
  const counts = new Float64Array(vocabulary).fill(1);
  for (const id of train) counts[id]!++;
  const total = train.length + vocabulary;
  let loss = 0;
  for (const id of text) loss -= Math.log(counts[id]! / total);
  return Math.exp(loss / text.length);
}
