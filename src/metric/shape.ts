import type { Expression } from './expression.ts';
import { OPERANDS } from './operands.ts';
import type { Operand } from './operands.ts';
import { OPERATIONS } from './operations.ts';
import type { OperationName } from './operations.ts';

/** A size as a checkpoint-independent name: the layer's output or input features, or exactly one. */
export type Dimension = 'out' | 'in' | 1;

/** Sizes from the outermost to the innermost; a number has none. */
export type Shape = readonly Dimension[];

export const SCALAR: Shape = [];
export const ROW: Shape = [1, 'in'];
export const MATRIX: Shape = ['out', 'in'];

/** The shape of a table row's operand. */
export const OPERAND_SHAPES: Readonly<Record<Operand['shape'], Shape>> = { matrix: MATRIX, row: ROW };

/** Why a tree of shapes is wrong, with the operation where it shows. */
export type ShapeProblem =
  | { readonly kind: 'broadcast'; readonly operation: OperationName; readonly left: Shape; readonly right: Shape }
  | { readonly kind: 'needs-tensor'; readonly operation: OperationName };

/**
 * The common shape of two values by the usual rule (numpy, ONNX): shapes are aligned at their ends; sizes agree, or one of
 * them is 1 or missing. Undefined where they do not fit for every layer, `out` and `in` being different in general.
 */
export function broadcast(left: Shape, right: Shape): Shape | undefined {
  const rank = Math.max(left.length, right.length);
  const result: Dimension[] = [];
  for (let i = 0; i < rank; i++) {
    const a = left[left.length - rank + i] ?? 1;
    const b = right[right.length - rank + i] ?? 1;
    if (a !== b && a !== 1 && b !== 1) return undefined;
    result.push(a === 1 ? b : a);
  }
  return result;
}

/** The shape of an operation's result for its arguments' shapes, or what is wrong with them. */
export function resultShape(name: OperationName, args: readonly Shape[]): Shape | ShapeProblem {
  let shape: Shape = SCALAR;
  for (const argument of args) {
    const common = broadcast(shape, argument);
    if (common === undefined) return { kind: 'broadcast', operation: name, left: shape, right: argument };
    shape = common;
  }
  // A norm is taken after broadcasting, so that `div(W, 2)` has a whole tensor of twos to take it over.
  if (OPERATIONS[name].reach === 'tensor' && shape.length === 0) return { kind: 'needs-tensor', operation: name };
  return shape;
}

export function isShapeProblem(result: Shape | ShapeProblem): result is ShapeProblem {
  return 'kind' in result;
}

/** The shape of a whole expression, or the first problem from the leaves up. */
export function shapeOf(expression: Expression): Shape | ShapeProblem {
  if (expression.kind === 'number') return SCALAR;
  if (expression.kind === 'operand') return OPERAND_SHAPES[OPERANDS[expression.name].shape];
  const shapes: Shape[] = [];
  for (const argument of expression.arguments) {
    const shape = shapeOf(argument);
    if (isShapeProblem(shape)) return shape;
    shapes.push(shape);
  }
  return resultShape(expression.operation, shapes);
}

/** `[out, in]`, `[1, in]`, or `a number`. */
export function printShape(shape: Shape): string {
  return shape.length === 0 ? 'a number' : `[${shape.join(', ')}]`;
}

export function describeShapeProblem(problem: ShapeProblem): string {
  return problem.kind === 'broadcast'
    ? `\`${problem.operation}\` cannot broadcast ${printShape(problem.left)} with ${printShape(problem.right)}`
    : `\`${problem.operation}\` works over a whole tensor, and its argument is a number`;
}

/** Whether two expressions have a shape, and the same. */
export function sameShape(a: Expression, b: Expression): boolean {
  const [x, y] = [shapeOf(a), shapeOf(b)];
  return !isShapeProblem(x) && !isShapeProblem(y) && isSame(x, y);
}

export function isSame(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
