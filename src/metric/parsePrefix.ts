import { EspalierError } from '../base/errors.ts';
import { number, operand, operation } from './expression.ts';
import type { Expression } from './expression.ts';
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES } from './limits.ts';
import { isOperandName } from './operands.ts';
import { isOperationName, OPERATIONS } from './operations.ts';

/**
 * The expression that `printPrefix` printed: `mul(W, sqrt(X))`. This is how expressions are written in journals and events; what
 * a person writes is read by the language, with its diagnostics.
 * @throws EspalierError `metric/syntax`, naming the place in the text, for anything else
 */
export function parsePrefix(text: string): Expression {
  const reader = new Reader(text);
  const expression = reader.expression(1);
  reader.end();
  return expression;
}

/** No tree of the largest size needs more, whatever its names and numbers. */
const MAX_TEXT = 64 * MAX_EXPRESSION_NODES;
/** Groups without names, which take ten times as long: journals have an expression in every other line. */
const TOKEN = /\s*(?:([A-Za-z]\w*)|(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([(),]))/y;

interface Token {
  readonly kind: 'name' | 'number' | 'mark' | 'end';
  readonly text: string;
  readonly at: number;
}

class Reader {
  private readonly text: string;
  private token: Token;
  private at = 0;
  private nodes = 0;

  constructor(text: string) {
    this.text = text;
    if (text.length > MAX_TEXT) throw syntaxError(`at most ${MAX_TEXT} characters`, String(text.length));
    this.token = this.next();
  }

  /** @param depth of the node that is read, 1 for the root */
  expression(depth: number): Expression {
    if (++this.nodes > MAX_EXPRESSION_NODES) throw syntaxError(`at most ${MAX_EXPRESSION_NODES} nodes`, 'more');
    if (depth > MAX_EXPRESSION_DEPTH) throw syntaxError(`a depth of at most ${MAX_EXPRESSION_DEPTH}`, 'more');
    const token = this.take();
    if (token.kind === 'number') return this.number(token);
    if (token.kind !== 'name') throw this.unexpected('an operation, an operand or a number', token);
    if (this.token.text !== '(') {
      if (isOperandName(token.text)) return operand(token.text);
      throw this.unexpected(isOperationName(token.text) ? `( after ${token.text}` : 'an operand', token);
    }
    if (!isOperationName(token.text)) throw this.unexpected('an operation', token);
    const args: Expression[] = [];
    for (const mark of OPERATIONS[token.text].arity === 1 ? ['('] : ['(', ',']) {
      this.expect(mark);
      args.push(this.expression(depth + 1));
    }
    this.expect(')');
    return operation(token.text, ...args);
  }

  end(): void {
    if (this.token.kind !== 'end') throw this.unexpected('the end of the text', this.token);
  }

  private number(token: Token): Expression {
    const value = Number(token.text);
    if (!Number.isFinite(value)) throw this.unexpected('a finite number', token);
    return number(value);
  }

  private expect(mark: string): void {
    const token = this.take();
    if (token.text !== mark) throw this.unexpected(mark, token);
  }

  private take(): Token {
    const token = this.token;
    this.token = this.next();
    return token;
  }

  private next(): Token {
    TOKEN.lastIndex = this.at;
    const match = TOKEN.exec(this.text);
    if (match === null) {
      const rest = this.text.slice(this.at).trimStart();
      const at = this.text.length - rest.length;
      if (rest === '') return { kind: 'end', text: '', at };
      throw this.unexpected('a name, a number, (, ) or a comma', { kind: 'mark', text: rest.slice(0, 1), at });
    }
    this.at = TOKEN.lastIndex;
    const [, name, number, mark] = match as readonly (string | undefined)[];
    const text = (name ?? number ?? mark)!;
    const kind = name !== undefined ? 'name' : number !== undefined ? 'number' : 'mark';
    return { kind, text, at: this.at - text.length };
  }

  private unexpected(expected: string, { kind, text, at }: Token): EspalierError {
    const actual = kind === 'end' ? 'the end of the text' : JSON.stringify(text.slice(0, 40));
    return syntaxError(expected, `${actual} at character ${at + 1}`);
  }
}

function syntaxError(expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'metric/syntax',
    operation: 'reading a metric in prefix form',
    expected,
    actual,
    remedy: 'Write it like mul(W, sqrt(X)): every operation by its name, with its arguments in parentheses.',
  });
}
