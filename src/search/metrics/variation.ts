import type { Rng } from '../../base/rng.ts';
import { operand, operation } from '../../metric/expression.ts';
import type { Expression } from '../../metric/expression.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import { pick } from './alphabet.ts';
import type { Alphabet } from './alphabet.ts';
import { carriesNumber, dialsOf, withConstant } from './constants.ts';
import { pickOperation, randomSubtree } from './randomTree.ts';
import { nodesOf, replaceNode } from './tree.ts';

/** Changes of one tree. Each takes a tree that it is possible for and returns a new one; limits are checked by the caller. */
export type Mutation = 'mutate-operation' | 'mutate-operand' | 'mutate-subtree' | 'insert' | 'hoist';

/** How often each change is tried, against the others that are possible for the tree; how far a constant moves is found by probes (tune.ts). */
const MUTATION_WEIGHTS: Readonly<Record<Mutation | 'tune', number>> = {
  /** Another operation with as many arguments: the smallest change of a formula. */
  'mutate-operation': 3,
  /** Another operand. */
  'mutate-operand': 2,
  /** A new random subtree in place of one. */
  'mutate-subtree': 3,
  /** A new operation above a node; its other argument, if it has one, is a new small tree. */
  insert: 2,
  /** A subtree takes the place of the whole tree, or of a node above it: trees become smaller. */
  hoist: 2,
  /** A constant moves. */
  tune: 6,
};

/** Deepest subtree that a mutation brings in. */
const NEW_SUBTREE_DEPTH = 3;

/** Chance that a new operation is a constant, where these may be. */
const CONSTANT_SHARE = 0.5;

/** The weights with 0 where a change is impossible for the tree. */
export function possibleMutations(tree: Expression, alphabet: Alphabet): Readonly<Record<Mutation | 'tune', number>> {
  const nodes = placesOf(tree, alphabet).map(({ node }) => node);
  const possible: Record<Mutation | 'tune', boolean> = {
    'mutate-operation': nodes.some((node) => otherOperations(node, alphabet).length > 0),
    'mutate-operand': nodes.some((node) => otherOperands(node, alphabet).length > 0),
    'mutate-subtree': true,
    insert: alphabet.unary.length + alphabet.binary.length > 0,
    hoist: tree.kind === 'operation',
    tune: dialsOf(tree, alphabet.constants).length > 0,
  };
  const weights = Object.entries(MUTATION_WEIGHTS) as [Mutation | 'tune', number][];
  return Object.fromEntries(weights.map(([name, weight]) => [name, possible[name] ? weight : 0])) as Record<
    Mutation | 'tune',
    number
  >;
}

export const MUTATIONS: Readonly<Record<Mutation, (tree: Expression, alphabet: Alphabet, rng: Rng) => Expression>> = {
  'mutate-operation'(tree, alphabet, rng) {
    const places = placesOf(tree, alphabet, (node) => otherOperations(node, alphabet).length > 0);
    const { number, node } = pick(places, rng);
    const args = node.kind === 'operation' ? node.arguments : [];
    return replaceNode(tree, number, operation(pick(otherOperations(node, alphabet), rng), ...args));
  },

  'mutate-operand'(tree, alphabet, rng) {
    const places = placesOf(tree, alphabet, (node) => otherOperands(node, alphabet).length > 0);
    const { number, node } = pick(places, rng);
    return replaceNode(tree, number, operand(pick(otherOperands(node, alphabet), rng)));
  },

  'mutate-subtree'(tree, alphabet, rng) {
    const { number } = pick(placesOf(tree, alphabet), rng);
    return replaceNode(tree, number, randomSubtree('grow', NEW_SUBTREE_DEPTH, alphabet, rng));
  },

  insert(tree, alphabet, rng) {
    if (alphabet.constants !== 'none' && rng.uniform() < CONSTANT_SHARE) {
      const raised = withConstant(tree, alphabet.constants, rng);
      if (raised !== undefined) return raised;
    }
    const { number, node } = pick(placesOf(tree, alphabet), rng);
    const name = pickOperation(alphabet, rng)!;
    if (OPERATIONS[name].arity === 1) return replaceNode(tree, number, operation(name, node));
    const other = randomSubtree('grow', NEW_SUBTREE_DEPTH - 1, alphabet, rng);
    const args = rng.uniform() < 0.5 ? [node, other] : [other, node];
    return replaceNode(tree, number, operation(name, ...args));
  },

  hoist(tree, alphabet, rng) {
    const { number, node } = pick(
      placesOf(tree, alphabet, (inner) => inner.kind === 'operation'),
      rng,
    );
    const below = placesOf(node, alphabet).slice(1);
    return replaceNode(tree, number, pick(below, rng).node);
  },
};

/** Two trees with a subtree of each exchanged: together they have the symbols that they had. */
export function crossover(
  a: Expression,
  b: Expression,
  alphabet: Alphabet,
  rng: Rng,
): readonly [Expression, Expression] {
  const [x, y] = [crossoverPoint(a, alphabet, rng), crossoverPoint(b, alphabet, rng)];
  return [replaceNode(a, x.number, y.node), replaceNode(b, y.number, x.node)];
}

interface Place {
  readonly number: number;
  readonly node: Expression;
}

/** Share of crossover points that are operations (Koza 1992): leaves are most of a tree's nodes, and exchange little. */
const INNER_SHARE = 0.9;

function crossoverPoint(tree: Expression, alphabet: Alphabet, rng: Rng): Place {
  const wanted = rng.uniform() < INNER_SHARE && tree.kind === 'operation' ? 'operation' : undefined;
  return pick(
    placesOf(tree, alphabet, (node) => wanted === undefined || node.kind === wanted),
    rng,
  );
}

/** Where a tree may be changed. In a search for constants a number belongs to what it raises or multiplies, and changes by tuning alone. */
function placesOf(
  tree: Expression,
  { constants }: Alphabet,
  isPlace: (node: Expression) => boolean = () => true,
): readonly Place[] {
  return nodesOf(tree)
    .map(({ node }, number) => ({ number, node }))
    .filter(({ node }) => (constants === 'none' || node.kind !== 'number') && isPlace(node));
}

function otherOperations(node: Expression, { unary, binary, constants }: Alphabet): Alphabet['unary'] {
  if (node.kind !== 'operation' || (constants !== 'none' && carriesNumber(node))) return [];
  return (node.arguments.length === 1 ? unary : binary).filter((name) => name !== node.operation);
}

function otherOperands(node: Expression, { operands }: Alphabet): Alphabet['operands'] {
  if (node.kind === 'operation') return [];
  return operands.filter((name) => node.kind === 'number' || name !== node.name);
}
