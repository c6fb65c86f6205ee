import { MAX_EXPRESSION_DEPTH } from './limits.ts';

/** A node as Pruner-Zero writes it: an operation or operand by name; a unary operation has a left child only. */
export interface PrunerZeroTree {
  readonly data: string;
  readonly left?: PrunerZeroTree;
  readonly right?: PrunerZeroTree;
}

/**
 * Pruner-Zero's other spelling of a tree, the one that its code prints and logs: `((W) mul (W)) abs (#)`. Every child stands in
 * parentheses, left and right of the operation's name; `#` is a child that there is not.
 */
export function looksLikeNotation(text: string): boolean {
  return /^\s*(\(|[WXG#]\s*$)/.test(text);
}

/** Where the text goes wrong, for a message. */
export class NotationProblem extends Error {
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`expected ${expected}, got ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/**
 * The tree; which names there are and what children they have is not looked at.
 *
 * @throws NotationProblem
 */
export function parseNotation(text: string): PrunerZeroTree | undefined {
  const tokens = new Tokens(text);
  const tree = readNode(tokens, 0);
  if (tokens.peek() !== undefined) throw tokens.problem('the end');
  return tree;
}

export function printNotation(tree: PrunerZeroTree): string {
  if (!tree.left && !tree.right) return tree.data;
  const [left, right] = [tree.left, tree.right].map((child) => (child ? printNotation(child) : '#'));
  return `(${left}) ${tree.data} (${right})`;
}

function readNode(tokens: Tokens, depth: number): PrunerZeroTree | undefined {
  // Each level of the tree takes a pair of parentheses, and a whole tree may stand in one more.
  if (depth > MAX_EXPRESSION_DEPTH + 1) {
    throw new NotationProblem(`a depth of at most ${MAX_EXPRESSION_DEPTH}`, 'more');
  }
  const first = tokens.next();
  if (first === '#') return undefined;
  if (first !== '(') {
    if (first === undefined || first === ')') throw tokens.problem('an operand or a parenthesis', first);
    return { data: first };
  }
  const left = readChild(tokens, depth);
  const name = tokens.peek();
  if (name === undefined || name === ')') return left;
  if (name === '(' || name === '#') throw tokens.problem('the name of an operation');
  tokens.next();
  if (tokens.next() !== '(') throw tokens.problem(`( behind ${name}`, tokens.last);
  const right = readChild(tokens, depth);
  return { data: name, ...(left && { left }), ...(right && { right }) };
}

/** Behind an opening parenthesis, up to and with the closing one. */
function readChild(tokens: Tokens, depth: number): PrunerZeroTree | undefined {
  const child = readNode(tokens, depth + 1);
  if (tokens.next() !== ')') throw tokens.problem(')', tokens.last);
  return child;
}

class Tokens {
  last: string | undefined;
  private readonly all: RegExpStringIterator<RegExpExecArray>;
  private ahead: string | undefined;
  private at = 0;

  constructor(text: string) {
    this.all = text.matchAll(/[()#]|[^\s()#]+/g);
    this.advance();
  }

  peek(): string | undefined {
    return this.ahead;
  }

  next(): string | undefined {
    this.last = this.ahead;
    this.advance();
    return this.last;
  }

  problem(expected: string, actual = this.ahead): NotationProblem {
    return new NotationProblem(expected, actual === undefined ? 'the end' : `${actual} (part ${this.at} of the text)`);
  }

  private advance(): void {
    const { value, done } = this.all.next();
    this.ahead = done ? undefined : value[0];
    this.at++;
  }
}
