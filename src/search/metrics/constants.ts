import type { Rng } from '../../base/rng.ts';
import { canonical } from '../../metric/canonical.ts';
import { number, operation } from '../../metric/expression.ts';
import type { Expression, OperationExpression } from '../../metric/expression.ts';
import type { OperationName } from '../../metric/operations.ts';
import { isNonNegative } from '../../metric/sign.ts';
import { pick } from './alphabet.ts';
import type { Constants } from './alphabet.ts';
import { nodesOf, replaceNode } from './tree.ts';

/**
 * A number of a tree that can be turned: an exponent or a factor that is written, the exponent that a root or a square is, or the 1 that
 * stands nowhere: W is W ^ 1, and W + X is W + 1 * X.
 */
export interface Dial {
  readonly kind: keyof typeof LIMITS;
  /** Number of the node (see tree.ts) that is raised or multiplied, with its number where it has one. */
  readonly node: number;
  readonly value: number;
  /** Whether the tree becomes no larger by more than a node when it is turned: it has a number, or is a root or a square. */
  readonly written: boolean;
}

/**
 * Scores have to stay within float32: inputs of 1e5 to the power 8 do not, and are found not to by the probe. Below an exponent of 0.05 a
 * value is nearly a constant. Factors make up for the units of what is added: weights are near 0.05, X may be 1e4.
 */
export const LIMITS = {
  exponent: { low: 0.05, high: 8, drawn: 4 },
  factor: { low: 1e-4, high: 1e4, drawn: 100 },
} as const;

/** Three significant digits: formulas stay readable, and a step of one in the last moves scores by less than a hundredth. */
const DIGITS = 3;

/** The nearest number that a search may write: within the limits of its kind, with three significant digits. */
export function onGrid(value: number, kind: Dial['kind']): number {
  const { low, high } = LIMITS[kind];
  return Number(Math.min(high, Math.max(low, value)).toPrecision(DIGITS));
}

/** The dial's value so many e-folds further, but at least one step of the grid, unless it is at its limit. */
export function movedValue({ kind, value }: Dial, by: number): number {
  const moved = onGrid(value * Math.exp(by), kind);
  if (moved !== value) return moved;
  const step = 10 ** (Math.floor(Math.log10(value)) - DIGITS + 1);
  return onGrid(value + Math.sign(by) * step, kind);
}

/** All dials of a tree, in the order of its nodes; whether turning one changes the ranking is another question. */
export function dialsOf(tree: Expression, constants: Constants): readonly Dial[] {
  if (constants === 'none') return [];
  const places = nodesOf(tree);
  const above = parentsOf(tree);
  return places.flatMap(({ node }, index) => {
    const dials: Dial[] = [];
    const parent = above[index];
    const exponent = exponentOf(node);
    if (exponent !== undefined && exponent > 0) {
      dials.push({ kind: 'exponent', node: index, value: exponent, written: true });
    } else if (mayBeRaised(node) && (parent === undefined || exponentOf(parent) === undefined)) {
      dials.push({ kind: 'exponent', node: index, value: 1, written: false });
    }
    if (constants !== 'all') return dials;
    const factor = factorOf(node);
    if (factor !== undefined && factor > 0) {
      dials.push({ kind: 'factor', node: index, value: factor, written: true });
    } else if (node.kind !== 'number' && factor === undefined && scaleCounts(node, parent)) {
      dials.push({ kind: 'factor', node: index, value: 1, written: false });
    }
    return dials;
  });
}

/** The tree with the dial at another value: 1 takes the number away. */
export function turned(tree: Expression, dial: Dial, value: number): Expression {
  const { node } = nodesOf(tree)[dial.node]!;
  const inner = dial.written ? operandOf(node as OperationExpression) : node;
  const name = dial.kind === 'exponent' ? 'power' : 'mul';
  const args = dial.kind === 'exponent' ? [inner, number(value)] : [number(value), inner];
  return tidy(replaceNode(tree, dial.node, operation(name, ...args)));
}

/** The tree with one more number where there was none, drawn at random; undefined where no ranking would change by it. */
export function withConstant(tree: Expression, constants: Constants, rng: Rng): Expression | undefined {
  const dials = dialsOf(tree, constants).filter(({ written }) => !written);
  if (dials.length === 0) return undefined;
  const dial = pick(dials, rng);
  const { drawn } = LIMITS[dial.kind];
  const value = Number((drawn ** (2 * rng.uniform() - 1)).toPrecision(2));
  const result = turned(tree, dial, value);
  return decidesRanking(tree, dial) && canonical(result).key !== canonical(tree).key ? result : undefined;
}

/**
 * Whether the ranking depends on where a dial stands: not above all else, nor in a product under `mms`. Two other values tell, since to raise
 * what may be negative changes it by taking its magnitude, whatever the exponent is.
 */
export function decidesRanking(tree: Expression, dial: Dial): boolean {
  const [a, b] = [0.2, 0.4].map((by) => canonical(turned(tree, dial, dial.value * Math.exp(by))).key);
  return a !== b;
}

/**
 * A tree that variation has put together, with its numbers in order: powers of powers and factors of factors are one number, on the grid;
 * a power or factor of 1 is none; and what may be negative is raised as a magnitude, as a root is taken.
 */
export function tidy(tree: Expression): Expression {
  if (tree.kind !== 'operation') return tree;
  const node = operation(tree.operation, ...tree.arguments.map(tidy));
  const exponent = node.operation === 'power' ? exponentOf(node) : undefined;
  if (exponent !== undefined) return raisedTo(node.arguments[0]!, exponent);
  const factor = factorOf(node);
  return factor === undefined ? node : multipliedBy(operandOf(node), factor);
}

/** Whether a node has a number that varies as a part of it: it is raised to one, or multiplied by one. */
export function carriesNumber(node: Expression): boolean {
  return node.kind === 'operation' && node.arguments.some((argument) => argument.kind === 'number');
}

function raisedTo(base: Expression, exponent: number): Expression {
  const inner = base.kind === 'operation' && base.operation === 'power' ? exponentOf(base) : undefined;
  if (inner !== undefined && inner > 0 && exponent > 0) {
    return raisedTo(operandOf(base as OperationExpression), onGrid(inner * exponent, 'exponent'));
  }
  if (exponent === 1) return base;
  const positive = Number.isInteger(exponent) || isNonNegative(base) ? base : operation('abs', base);
  return operation('power', positive, number(exponent));
}

function multipliedBy(inner: Expression, factor: number): Expression {
  const other = factorOf(inner);
  if (other !== undefined && other > 0 && factor > 0) {
    return multipliedBy(operandOf(inner as OperationExpression), onGrid(other * factor, 'factor'));
  }
  return factor === 1 ? inner : operation('mul', number(factor), inner);
}

/** Powers that have names. */
const NAMED_POWERS: Readonly<Partial<Record<OperationName, number>>> = { sqrt: 0.5, sqr: 2, pow: 2 };

/** The number that an operation raises to: what is written, or what a root or square stands for. */
function exponentOf(node: Expression): number | undefined {
  if (node.kind !== 'operation') return undefined;
  if (node.operation !== 'power') return NAMED_POWERS[node.operation];
  const [base, exponent] = node.arguments;
  return exponent!.kind === 'number' && base!.kind !== 'number' ? exponent!.value : undefined;
}

/** The number that an operation multiplies something else by. */
function factorOf(node: Expression): number | undefined {
  if (node.kind !== 'operation' || node.operation !== 'mul') return undefined;
  const [a, b] = node.arguments;
  if (a!.kind === 'number') return b!.kind === 'number' ? undefined : a!.value;
  return b!.kind === 'number' ? b!.value : undefined;
}

/** What is raised, or multiplied by a number. */
function operandOf({ arguments: args }: OperationExpression): Expression {
  return args.find(({ kind }) => kind !== 'number')!;
}

/** A power of a product is the product of powers, which have dials of their own; signs and names of values have none. */
function mayBeRaised(node: Expression): boolean {
  if (node.kind !== 'operation') return node.kind === 'operand';
  return !NEVER_RAISED.includes(node.operation);
}

const NEVER_RAISED: readonly OperationName[] = ['mul', 'neg', 'abs', 'skp', 'power'];

/** Operations whose result is no multiple of another one's when their argument is. */
const BENDING: readonly OperationName[] = ['exp', 'tanh', 'log'];

/** Where the scale of a value counts: beside another in a sum (of the two, one is enough), and in what bends. */
function scaleCounts(node: Expression, parent: OperationExpression | undefined): boolean {
  if (parent === undefined) return false;
  if (parent.operation !== 'add' && parent.operation !== 'sub') return BENDING.includes(parent.operation);
  const [first, second] = parent.arguments;
  return second === node && first !== node && first!.kind !== 'number' && factorOf(first!) === undefined;
}

/** The operation above each node, in the order of the nodes. */
function parentsOf(tree: Expression): readonly (OperationExpression | undefined)[] {
  const parents: (OperationExpression | undefined)[] = [];
  const visit = (node: Expression, parent: OperationExpression | undefined): void => {
    parents.push(parent);
    if (node.kind === 'operation') for (const argument of node.arguments) visit(argument, node);
  };
  visit(tree, undefined);
  return parents;
}
