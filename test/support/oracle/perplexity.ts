import { row } from './matrix.ts';
import { forward, type OracleModel } from './model.ts';

/**
 * The papers' perplexity: ⌊len/T⌋ blocks of T tokens (or the first `count` of them), per block T times the mean cross-entropy of its
 * T − 1 next-token predictions; exp of the sum over the number of tokens.
 */
export function perplexity(model: OracleModel, tokens: readonly number[], length: number, count: number): number {
  const available = Math.floor(tokens.length / length);
  const blocks = count === 0 ? available : Math.min(count, available);
  let sum = 0;
  for (let block = 0; block < blocks; block++) {
    sum += length * meanCrossEntropy(model, tokens.slice(block * length, (block + 1) * length));
  }
  return Math.exp(sum / (blocks * length));
}

/** Mean of −ln softmax(logits_t)[token_{t+1}] over t. */
function meanCrossEntropy(model: OracleModel, tokens: readonly number[]): number {
  const logits = forward(model, tokens);
  let sum = 0;
  for (let t = 0; t + 1 < tokens.length; t++) {
    const scores = row(logits, t);
    const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const normaliser = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
    sum += largest + Math.log(normaliser) - scores[tokens[t + 1]!]!;
  }
  return sum / (tokens.length - 1);
}
