import type { Expression } from './expression.ts';
import { OPERATIONS } from './operations.ts';
import type { Operation, OperationName } from './operations.ts';

/**
 * Infix spelling with the fewest parentheses, `W * sqrt(X)`: what the language reads back as the same tree.
 * Numbers are printed with all their digits.
 */
export function printInfix(expression: Expression): string {
  return infix(expression, LOWEST);
}

/** Prefix spelling, `mul(W, sqrt(X))`: every operation by its name in the table. The language reads it back too. */
export function printPrefix(expression: Expression): string {
  if (expression.kind === 'operand') return expression.name;
  if (expression.kind === 'number') return String(expression.value);
  return `${expression.operation}(${expression.arguments.map(printPrefix).join(', ')})`;
}

/** How tightly a spelling binds, and how tight its sides have to be. Left associative but for `^`. */
const LOWEST = 0;
const UNARY_MINUS = 3;
const ATOM = 5;
const PRECEDENCE: Readonly<
  Record<NonNullable<Operation['infix']>, { readonly own: number; readonly left: number; readonly right: number }>
> = {
  '+': { own: 1, left: 1, right: 2 },
  '-': { own: 1, left: 1, right: 2 },
  '*': { own: 2, left: 2, right: UNARY_MINUS },
  '/': { own: 2, left: 2, right: UNARY_MINUS },
  '^': { own: 4, left: ATOM, right: UNARY_MINUS },
};

/** The spelling of an operation's infix symbol, where it has one. */
export function infixSymbol(name: OperationName): Operation['infix'] {
  const row: Operation = OPERATIONS[name];
  return row.infix;
}

function infix(expression: Expression, required: number): string {
  const [text, precedence] = spell(expression);
  return precedence < required ? `(${text})` : text;
}

function spell(expression: Expression): readonly [text: string, precedence: number] {
  switch (expression.kind) {
    case 'operand':
      return [expression.name, ATOM];
    case 'number':
      return [String(expression.value), expression.value < 0 ? UNARY_MINUS : ATOM];
    case 'operation': {
      const args = expression.arguments;
      const symbol = infixSymbol(expression.operation);
      if (symbol !== undefined) {
        const { own, left, right } = PRECEDENCE[symbol];
        return [`${infix(args[0]!, left)} ${symbol} ${infix(args[1]!, right)}`, own];
      }
      // `-2` is the number minus two: the negation of a number keeps its name.
      if (expression.operation === 'neg' && args[0]!.kind !== 'number') {
        return [`-${infix(args[0]!, UNARY_MINUS)}`, UNARY_MINUS];
      }
      return [`${expression.operation}(${args.map((argument) => infix(argument, LOWEST)).join(', ')})`, ATOM];
    }
  }
}
