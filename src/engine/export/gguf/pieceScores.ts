import type { BytePairSpec } from '../../tokenizer/modelSpec.ts';

/**
 * Scores by which llama.cpp's tokenizer `llama` merges as the byte pairs do that a SentencePiece model was converted to: again and again two neighbours become the
 * token of the highest score, of equals the leftmost. Byte pairs go by pairs, so it has to be checked that pairs say no more than tokens do.
 *
 * @returns a score for each token that is merged, 0 for the best and then less; or why there are none
 */
export function pieceScores({
  vocab,
  merges,
}: Pick<BytePairSpec, 'vocab' | 'merges'>): ReadonlyMap<string, number> | string {
  const scores = new Map<string, number>();
  const pairs = new Set<string>();
  let last: string | undefined;
  for (const merge of merges) {
    const [left, right] = typeof merge === 'string' ? merge.split(' ') : (merge as readonly string[]);
    const token = left! + right!;
    pairs.add(`${left} ${right}`);
    if (token === last) continue;
    if (scores.has(token)) return `merges towards ${JSON.stringify(token)} stand in different places`;
    scores.set(token, 0 - scores.size);
    last = token;
  }
  for (const token of Object.keys(vocab)) {
    for (const cut of cutsOf(token)) {
      const [left, right] = [token.slice(0, cut), token.slice(cut)];
      const isPair = Object.hasOwn(vocab, left) && Object.hasOwn(vocab, right);
      if (isPair && !pairs.has(`${left} ${right}`))
        return `${JSON.stringify(left)} and ${JSON.stringify(right)} are tokens, and so are both together, but they are not merged`;
    }
  }
  return scores;
}

/** Places between the characters of a token. */
function* cutsOf(token: string): Generator<number> {
  let at = 0;
  for (const character of token) {
    if (at > 0) yield at;
    at += character.length;
  }
}
