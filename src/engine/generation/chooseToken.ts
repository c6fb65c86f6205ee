import { EspalierError } from '../../base/errors.ts';
import type { Rng } from '../../base/rng.ts';
import type { Alternative } from '../../experiment/generationSchema.ts';

/** How the next token is chosen. */
export interface Choosing {
  /** What logits are divided by; 0: the likeliest token, of equals the first. */
  readonly temperature: number;
  /** The likeliest tokens whose probabilities have this sum, the one that reaches it among them (nucleus sampling, Holtzman et al. 2020). */
  readonly topP: number;
}

/**
 * @param logits [vocabulary]
 * @throws EspalierError `evaluation/not-finite` where one is not a number: nothing is likeliest then
 */
export function chooseToken(logits: Float32Array, { temperature, topP }: Choosing, rng: Rng): number {
  const greedy = likeliest(logits);
  if (temperature === 0) return greedy;
  const largest = logits[greedy]!;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (topP >= 1) return draw(weights, undefined, total, rng);
  // Sorting is stable: of equals the lower id comes first, on every machine.
  const order = Uint32Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b);
  let [count, sum] = [0, 0];
  while (count === 0 || (sum < topP * total && count < order.length)) sum += weights[order[count++]!]!;
  return draw(weights, order.subarray(0, count), sum, rng);
}

/** One of the tokens (all where they are not given), each with its share of the sum. */
function draw(weights: Float64Array, among: Uint32Array | undefined, sum: number, rng: Rng): number {
  let left = rng.uniform() * sum;
  const count = among?.length ?? weights.length;
  let last = among?.[0] ?? 0;
  for (let i = 0; i < count; i++) {
    const id = among?.[i] ?? i;
    const weight = weights[id]!;
    if (weight === 0) continue;
    last = id;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    if (Number.isNaN(logits[id]!) || logits[id] === Infinity) throw notFinite(logits[id]!);
    if (logits[id]! > logits[best]!) best = id;
  }
  return best;
}

/** The `count` likeliest tokens, of equals the lower id first, and what is asked for of one token. */
export function logProbabilities(
  logits: Float32Array,
  id: number,
  count: number,
): { readonly logProbability: number; readonly alternatives: readonly Alternative[] } {
  const largest = logits[likeliest(logits)]!;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  const normaliser = largest + Math.log(sum);
  const at = (token: number): number => Math.max(logits[token]! - normaliser, LEAST);
  const found: number[] = [];
  for (let token = 0; token < logits.length && count > 0; token++) {
    if (found.length === count && logits[token]! <= logits[found.at(-1)!]!) continue;
    let place = found.length;
    while (place > 0 && logits[found[place - 1]!]! < logits[token]!) place--;
    found.splice(place, 0, token);
    if (found.length > count) found.pop();
  }
  return { logProbability: at(id), alternatives: found.map((token) => ({ id: token, logProbability: at(token) })) };
}

/** JSON has no infinity. */
const LEAST = -1e9;

function notFinite(value: number): EspalierError {
  return new EspalierError({
    code: 'evaluation/not-finite',
    operation: 'choosing the next token',
    expected: 'logits that are numbers',
    actual: String(value),
    remedy: 'Prune less, or use --precision float32: some numbers have become too large.',
  });
}
