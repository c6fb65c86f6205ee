import type { Rng } from '../../base/rng.ts';
import { operand, operation } from '../../metric/expression.ts';
import type { Expression } from '../../metric/expression.ts';
import type { OperationName } from '../../metric/operations.ts';
import { pick } from './alphabet.ts';
import type { Alphabet } from './alphabet.ts';

/** Depths of random trees (methods of Pruner-Zero: 2 to 4), counted in nodes from the root to a leaf. */
export const RANDOM_DEPTH = { minimum: 2, maximum: 4 } as const;

/** Chance that a node has two arguments, where the alphabet has both kinds: there are more operations with one. */
const BINARY_SHARE = 0.5;

/** Chance that a branch of a grown tree ends before it has to. */
const LEAF_SHARE = 0.3;

export type TreeShape = 'grow' | 'full';

/**
 * A random tree of a depth between 2 and `maximum`: `full` ends all branches at the same depth, `grow` ends them anywhere from 2
 * on. Every leaf is an operand. An alphabet without operations has trees of depth 1.
 */
export function randomTree(shape: TreeShape, maximum: number, alphabet: Alphabet, rng: Rng): Expression {
  const least = Math.min(RANDOM_DEPTH.minimum, maximum);
  const depth = least + rng.integer(Math.max(0, maximum - least) + 1);
  return randomSubtree(shape, depth, alphabet, rng, least);
}

/** A tree of at most `depth` levels; branches of a grown one have at least `least`. */
export function randomSubtree(shape: TreeShape, depth: number, alphabet: Alphabet, rng: Rng, least = 1): Expression {
  const mayEnd = shape === 'grow' && least <= 1;
  const name = depth <= 1 || (mayEnd && rng.uniform() < LEAF_SHARE) ? undefined : pickOperation(alphabet, rng);
  if (name === undefined) return operand(pick(alphabet.operands, rng));
  const below = (): Expression => randomSubtree(shape, depth - 1, alphabet, rng, least - 1);
  return alphabet.unary.includes(name) ? operation(name, below()) : operation(name, below(), below());
}

/** An operation of either arity; undefined where the alphabet has none. */
export function pickOperation({ unary, binary }: Alphabet, rng: Rng): OperationName | undefined {
  if (unary.length === 0 && binary.length === 0) return undefined;
  const two = unary.length === 0 || (binary.length > 0 && rng.uniform() < BINARY_SHARE);
  return pick(two ? binary : unary, rng);
}
