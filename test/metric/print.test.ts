import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { number as n, operand, operation as op } from '../../src/metric/expression.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { printInfix, printPrefix } from '../../src/metric/print.ts';
import { parseExpressionText } from '../../src/language/syntax/parse.ts';
import { compileExpression } from '../../src/language/check/expressions.ts';
import { compileDefinitions } from '../../src/language/check/definitions.ts';
import { DiagnosticList } from '../../src/language/check/diagnostics.ts';
import { NameTable } from '../../src/language/check/names.ts';
import { anyExpression } from './arbitraryExpression.ts';

const [W, X, G] = [operand('W'), operand('X'), operand('G')];

describe('infix and prefix spelling', () => {
  const table: [Expression, infix: string, prefix: string][] = [
    [op('mul', W, op('sqrt', X)), 'W * sqrt(X)', 'mul(W, sqrt(X))'],
    [op('mul', op('abs', op('mul', W, W)), op('mms', G)), 'abs(W * W) * mms(G)', 'mul(abs(mul(W, W)), mms(G))'],
    [op('sub', op('sub', W, X), G), 'W - X - G', 'sub(sub(W, X), G)'],
    [op('sub', W, op('sub', X, G)), 'W - (X - G)', 'sub(W, sub(X, G))'],
    [op('add', W, op('add', X, G)), 'W + (X + G)', 'add(W, add(X, G))'],
    [op('mul', op('add', W, X), G), '(W + X) * G', 'mul(add(W, X), G)'],
    [op('quotient', W, op('mul', X, G)), 'W / (X * G)', 'quotient(W, mul(X, G))'],
    [op('power', op('power', W, X), G), '(W ^ X) ^ G', 'power(power(W, X), G)'],
    [op('power', W, op('power', X, G)), 'W ^ X ^ G', 'power(W, power(X, G))'],
    [op('neg', op('power', W, n(2))), '-W ^ 2', 'neg(power(W, 2))'],
    [op('power', op('neg', W), n(2)), '(-W) ^ 2', 'power(neg(W), 2)'],
    [op('power', W, op('neg', X)), 'W ^ -X', 'power(W, neg(X))'],
    [op('mul', op('neg', W), X), '-W * X', 'mul(neg(W), X)'],
    [op('neg', op('mul', W, X)), '-(W * X)', 'neg(mul(W, X))'],
    [op('sub', W, op('neg', X)), 'W - -X', 'sub(W, neg(X))'],
    [op('neg', op('neg', W)), '--W', 'neg(neg(W))'],
    [op('add', W, n(-2)), 'W + -2', 'add(W, -2)'],
    [op('power', n(-2), W), '(-2) ^ W', 'power(-2, W)'],
    [op('add', W, op('neg', n(2))), 'W + neg(2)', 'add(W, neg(2))'],
    [op('mul', W, n(1e-7)), 'W * 1e-7', 'mul(W, 1e-7)'],
    [op('mul', W, n(1e21)), 'W * 1e+21', 'mul(W, 1e+21)'],
    [op('div', W, X), 'div(W, X)', 'div(W, X)'],
  ];
  it.each(table)('%#: %j', (expression, infix, prefix) => {
    expect(printInfix(expression)).toBe(infix);
    expect(printPrefix(expression)).toBe(prefix);
    expect(read(infix)).toEqual(expression);
    expect(read(prefix)).toEqual(expression);
  });

  it('reads back whatever it prints', () => {
    let read = 0;
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const again = readBack(expression);
        if (again === undefined) return;
        read++;
        expect(again.infix).toEqual(expression);
        expect(again.prefix).toEqual(expression);
      }),
      { numRuns: 1500, seed: 20 },
    );
    expect(read).toBeGreaterThan(700);
  });

  it('needs each of its parentheses', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const text = printInfix(expression);
        // Parentheses that belong to no call: without such a pair the text means something else, or nothing.
        for (const [open, close] of groups(text)) {
          const bare = `${text.slice(0, open)}${text.slice(open + 1, close)}${text.slice(close + 1)}`;
          const { problem } = parseExpressionText(bare);
          const same = problem === undefined && structure(bare) === structure(text);
          expect(same, `${text} against ${bare}`).toBe(false);
        }
      }),
      { numRuns: 300, seed: 21 },
    );
  });
});

function read(text: string): Expression | undefined {
  const { syntax, problem } = parseExpressionText(text);
  if (problem !== undefined) return undefined;
  const findings = { diagnostics: new DiagnosticList(), sites: undefined };
  return compileExpression(syntax, compileDefinitions(new NameTable(), findings).context(0, findings))?.expression;
}

/** Undefined where the checks refuse the expression (constants that divide by zero and the like). */
function readBack(expression: Expression): { infix: Expression; prefix: Expression } | undefined {
  const [infix, prefix] = [read(printInfix(expression)), read(printPrefix(expression))];
  expect(infix === undefined).toBe(prefix === undefined);
  return infix && prefix && { infix, prefix };
}

/** The syntax tree without its places. */
function structure(text: string): string {
  const { syntax } = parseExpressionText(text);
  return JSON.stringify(syntax, (key, value: unknown) => (key === 'span' ? undefined : value));
}

function groups(text: string): [number, number][] {
  const found: [number, number][] = [];
  const open: number[] = [];
  Array.from(text).forEach((character, i) => {
    if (character === '(') open.push(i);
    if (character !== ')') return;
    const start = open.pop()!;
    if (start === 0 || !/\w/.test(text[start - 1]!)) found.push([start, i]);
  });
  return found;
}
