/**
 * How far a document's choices are from the right answer, in nats: −ln of what the softmax over the choices gives the right one,
 * ln Σ exp(ℓᵢ) − ℓ_gold, where ℓ are the sums that the harness's `acc` compares. Of n choices ln n where none is likelier than another, 0 where
 * the right one is certain. Accuracy is a step function of the same sums; this moves with every one of them.
 *
 * @param logLikelihoods sums over each choice's tokens, finite, in order
 * @param gold place of the right one
 */
export function choiceLoss(logLikelihoods: readonly number[], gold: number): number {
  const most = Math.max(...logLikelihoods);
  const shares = logLikelihoods.map((each) => Math.exp(each - most));
  return most + Math.log(shares.reduce((sum, share) => sum + share, 0)) - logLikelihoods[gold]!;
}
