import { formatted } from '../../support/formatted.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { parseDeclaration, parseExpressionText, parseProperty } from '../../../src/language/syntax/parse.ts';
import type { Parsed } from '../../../src/language/syntax/parse.ts';
import type { BinarySyntax, DeclarationSyntax, ExpressionSyntax, Span } from '../../../src/language/syntax/syntax.ts';
import { visitExpression } from '../../../src/language/syntax/syntax.ts';
import { tokensOf } from '../../../src/language/syntax/tokens.ts';
import { DECLARATION_KEYWORDS, isName } from '../../../src/language/syntax/words.ts';
import { mutate, WORDS } from '../mutate.ts';
import { SAMPLE } from '../samples.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((words) => words.join(' ')),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((words) => words.join('')),
  fc.integer().map((seed) => mutate(SAMPLE, new Rng(seed))),
);

describe('tokens', () => {
  it('and the blanks between them are the whole text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let end = 0;
        let joined = '';
        for (const token of tokensOf(text)) {
          const blanks = text.slice(end, token.start);
          expect(blanks.trim()).toBe('');
          expect(token.text).not.toBe('');
          expect(text.slice(token.start, token.end)).toBe(token.text);
          joined += blanks + token.text;
          end = token.end;
        }
        expect(text.slice(end).trim()).toBe('');
        expect(joined + text.slice(end)).toBe(text);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it.each([
    ['W*X2', ['name', 'sign', 'name']],
    ['α größe_1', ['name', 'name']],
    ['1 1.5 .5 1. 2e-3 1.e+2', ['number', 'number', 'number', 'number', 'number', 'number']],
    ['50% 50 \t% 2.5e1%', ['percentage', 'percentage', 'percentage']],
    ['2:4 2 : 4', ['ratio', 'ratio']],
    ['2\n:4', ['number', 'sign', 'number']],
    ['1.5:2', ['number', 'sign', 'number']],
    ['2x', ['number', 'name']],
    ['"C:\\models\\" "//" // "x"', ['string', 'string', 'comment']],
    ['a / b // c\n// d', ['name', 'sign', 'name', 'comment', 'comment']],
    ['"a b\n"', ['other', 'other']],
    ['$ . ²', ['other', 'other', 'other']],
    ['\uFEFF W\u00A0X', ['name', 'name']],
  ])('%j', (text, kinds) => {
    expect(tokensOf(text).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('are names where the language has names', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const token of tokensOf(text)) expect(isName(token.text), token.text).toBe(token.kind === 'name');
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});

describe('any text', () => {
  it('parses, with every place inside of it and names as they are written', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(...DECLARATION_KEYWORDS), (text, keyword) => {
        const declaration = `${keyword} ${text}`;
        checkDeclaration(declaration, parseDeclaration(declaration, keyword));
        const property = `at: ${text}`;
        const parsed = parseProperty(property);
        checkSpan(property, parsed.syntax.span);
        expect(parsed.syntax.key.text).toBe('at');
        for (const value of parsed.syntax.values) checkExpression(property, parsed, value);
        const formula = parseExpressionText(text);
        checkExpression(text, formula, formula.syntax);
      }),
      { numRuns: 2000, seed: 3 },
    );
  });

  it('whose beginning is right has no mistake before the end of that', () => {
    const declaration =
      'metric scaled(alpha = half, beta = -1.5) = beta * W * X ^ alpha - f([1, 50%], at: "x" (a: 2:4)) / (W + X)';
    const tokens = tokensOf(declaration);
    for (const [i, { start, end }] of tokens.slice(0, -1).entries()) {
      const { problem } = parseDeclaration(declaration.slice(0, tokens[i + 1]!.start), 'metric');
      // What is complete by chance has none; what is not lacks something behind its last token.
      if (problem !== undefined) expect(problem.span).toEqual({ start, end });
    }
  });
});

describe('a mistake', () => {
  const table: [text: string, names: string[]][] = [
    ['metric = W * X', ['-', 'W', 'X']],
    ['metric ) a = W * X', ['a', 'W', 'X']],
    ['metric a W * X', ['a', 'W', 'X']],
    ['metric a b = W * X', ['a', 'W', 'X']],
    ['metric a = W ** X', ['a', 'W', 'X']],
    ['metric a = W * * X', ['a', 'W', 'X']],
    ['metric a = W * (X G) + Xmax', ['a', 'W', 'X', 'Xmax']],
    ['metric a = W * (X, G) + Xmax', ['a', 'W', 'X', 'Xmax']],
    ['metric a = f(W X, G) * Xmax', ['a', 'f', 'W', 'G', 'Xmax']],
    ['metric a = f(W = g(2, 3), G) * Xmax', ['a', 'f', 'W', 'G', 'Xmax']],
    ['metric a = f(, W) * Xmax', ['a', 'f', 'W', 'Xmax']],
    ['metric a = f(p: , q: W) * Xmax', ['a', 'f', 'W', 'Xmax']],
    ['metric a = f([1 2, W]) * X', ['a', 'f', 'W', 'X']],
    ['metric a(p = , q = 2) = W * X', ['a', 'p', 'q', 'W', 'X']],
    ['metric a(p = 1 q = 2, r = 3) = W', ['a', 'p', 'r', 'W']],
    ['metric a(p q = 2) = W', ['a', 'p', 'W']],
    ['metric a = $ W * X', ['a', 'W', 'X']],
  ];
  it.each(table)('leaves the names around it: %s', (text, names) => {
    const { syntax, problem } = parseDeclaration(text, 'metric');
    expect(problem).toBeDefined();
    expect(namesIn(syntax)).toEqual(names);
  });

  it.each([
    'model a = "x"',
    'model a b = "x"',
    'model ) a = "x"',
    'model a == "x"',
    'model a "x"',
    'model a: "x"',
    'model a = W "x"',
    'model a = "x" "y"',
  ])('leaves name and path: %s', (text) => {
    expect(parseDeclaration(text, 'model').syntax).toMatchObject({ name: { text: 'a' }, path: { text: 'x' } });
  });
});

describe('an expression', () => {
  it('is what its printed form parses to, laid out as the formatter does, also with parentheses around everything', () => {
    fc.assert(
      fc.property(anySyntax, (syntax) => {
        const [text, parenthesized] = [print(syntax), parenthesize(syntax)];
        const parsed = parseExpressionText(text);
        expect(parsed.problem, text).toBeUndefined();
        expect(withoutPlaces(parsed.syntax)).toEqual(syntax);
        expect(print(parsed.syntax)).toBe(text);
        const whole = parseExpressionText(parenthesized);
        expect(whole.problem, parenthesized).toBeUndefined();
        expect(withoutPlaces(whole.syntax), parenthesized).toEqual(syntax);
        const file = `metric a = ${text}\n`;
        expect(formatted(compile(file), { indent: '  ' })).toBe(file);
      }),
      { numRuns: 2000, seed: 4 },
    );
  });

  it.each([
    ['W - X - G', '((W - X) - G)'],
    ['W - X * G / Xmax', '(W - ((X * G) / Xmax))'],
    ['W ^ X ^ G', '(W ^ (X ^ G))'],
    ['-W ^ 2 * X', '((-(W ^ 2)) * X)'],
    ['W ^ -X ^ 2 * G', '((W ^ (-(X ^ 2))) * G)'],
    ['- -W - -X', '((-(-W)) - (-X))'],
    ['W * -X + G', '((W * (-X)) + G)'],
  ])('%s is %s', (text, meant) => {
    expect(parenthesize(parseExpressionText(text).syntax)).toBe(meant);
    expect(withoutPlaces(parseExpressionText(text).syntax)).toEqual(withoutPlaces(parseExpressionText(meant).syntax));
  });
});

function checkDeclaration(text: string, parsed: Parsed<DeclarationSyntax>): void {
  const { syntax } = parsed;
  checkSpan(text, syntax.span);
  if (syntax.name) expect(text.slice(syntax.name.span.start, syntax.name.span.end)).toBe(syntax.name.text);
  if (syntax.kind === 'metric') {
    for (const { name, value } of syntax.parameters) {
      expect(text.slice(name.span.start, name.span.end)).toBe(name.text);
      checkExpression(text, parsed, value);
    }
    checkExpression(text, parsed, syntax.body);
  }
  if (syntax.kind === 'parameter') checkExpression(text, parsed, syntax.value);
}

function checkExpression(text: string, { problem }: Parsed<unknown>, root: ExpressionSyntax): void {
  if (problem) checkSpan(text, problem.span);
  visitExpression(root, (node) => {
    checkSpan(text, node.span);
    const written = text.slice(node.span.start, node.span.end);
    if (node.kind === 'name') expect(written).toBe(node.name);
    if (node.kind === 'call') expect(written.startsWith(node.callee.text)).toBe(true);
    if (node.kind === 'missing') expect(problem).toBeDefined();
    if (node.kind === 'binary' && node.left.kind !== 'missing') {
      expect(node.left.span.start).toBeGreaterThanOrEqual(node.span.start);
      expect(node.right.span.end).toBeLessThanOrEqual(node.span.end);
    }
  });
}

function checkSpan(text: string, { start, end }: Span): void {
  const isInside = 0 <= start && start <= end && end <= text.length;
  expect(isInside, `${start}–${end} of ${JSON.stringify(text)}`).toBe(true);
}

/** Every name that a declaration gives or uses, in order; `-` where its own is missing. */
function namesIn(syntax: DeclarationSyntax): string[] {
  const names = [syntax.name?.text ?? '-'];
  if (syntax.kind !== 'metric') return names;
  names.push(...syntax.parameters.map(({ name }) => name.text));
  visitExpression(syntax.body, (node) => {
    if (node.kind === 'name') names.push(node.name);
    if (node.kind === 'call') names.push(node.callee.text);
  });
  return names;
}

const NOWHERE: Span = { start: 0, end: 0 };

/** Every place as {@link NOWHERE}. */
function withoutPlaces(syntax: ExpressionSyntax): ExpressionSyntax {
  return JSON.parse(
    JSON.stringify(syntax, (key, value: unknown) => (key === 'span' ? NOWHERE : value)),
  ) as ExpressionSyntax;
}

const anyName = fc.constantFrom('W', 'X', 'alpha', 'metric', 'größe');
const { tree: anySyntax } = fc.letrec<{ tree: ExpressionSyntax; value: ExpressionSyntax }>((tie) => {
  const span = fc.constant(NOWHERE);
  const callee = fc.record({ text: anyName, span });
  const name = fc.option(callee, { nil: undefined });
  const argument = fc.record({ name, value: tie('value'), span });
  const args = fc.array(argument, { maxLength: 3 });
  const operator = fc.constantFrom<BinarySyntax['operator'][]>('+', '-', '*', '/', '^');
  return {
    value: fc.oneof(
      { weight: 4, arbitrary: tie('tree') },
      fc.record({ kind: fc.constant('list'), span, values: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
    ),
    tree: fc.oneof(
      { maxDepth: 6 },
      fc.record({ kind: fc.constant('name'), span, name: anyName }),
      fc.record({ kind: fc.constant('number'), span, value: fc.constantFrom(0, 1, 2.5, 1e-7, 1e21) }),
      fc.record({ kind: fc.constant('percentage'), span, text: fc.constantFrom('50%', '2.5%') }),
      fc.record({ kind: fc.constant('ratio'), span, text: fc.constantFrom('2:4', '4:8') }),
      fc.record({ kind: fc.constant('text'), span, text: fc.constantFrom('', 'a b', 'C:\\m'), arguments: args }),
      fc.record({ kind: fc.constant('call'), span, callee, arguments: args }),
      fc.record({ kind: fc.constant('negation'), span, operand: tie('tree') }),
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('binary'), span, operator, left: tie('tree'), right: tie('tree') }),
      },
    ),
  };
});

/** How tightly what stands at the root of an expression holds together. */
function strength(syntax: ExpressionSyntax): number {
  if (syntax.kind === 'negation') return 3;
  return syntax.kind === 'binary' ? { '+': 1, '-': 1, '*': 2, '/': 2, '^': 4 }[syntax.operator] : 5;
}

/** As the formatter lays it out, with the parentheses that it needs. */
function print(syntax: ExpressionSyntax): string {
  return printWith(syntax, (inner, least) => (strength(inner) < least ? `(${print(inner)})` : print(inner)));
}

/** With parentheses around every operation. */
function parenthesize(syntax: ExpressionSyntax): string {
  const text = printWith(syntax, parenthesize);
  return strength(syntax) < 5 ? `(${text})` : text;
}

function printWith(syntax: ExpressionSyntax, inner: (syntax: ExpressionSyntax, least: number) => string): string {
  const loose = (value: ExpressionSyntax): string => inner(value, 0);
  switch (syntax.kind) {
    case 'name':
      return syntax.name;
    case 'number':
      return String(syntax.value);
    case 'percentage':
    case 'ratio':
    case 'quantity':
      return syntax.text;
    case 'list':
      return `[${syntax.values.map(loose).join(', ')}]`;
    case 'call':
    case 'text': {
      const given = syntax.arguments.map(({ name, value }) => (name ? `${name.text}: ` : '') + loose(value)).join(', ');
      if (syntax.kind === 'call') return `${syntax.callee.text}(${given})`;
      return `"${syntax.text}"${syntax.arguments.length > 0 ? ` (${given})` : ''}`;
    }
    case 'negation':
      return `-${inner(syntax.operand, 3)}`;
    case 'binary': {
      const own = strength(syntax);
      const isPower = syntax.operator === '^';
      const [left, right] = [inner(syntax.left, isPower ? 5 : own), inner(syntax.right, isPower ? 3 : own + 1)];
      return `${left} ${syntax.operator} ${right}`;
    }
    case 'missing':
      throw new Error('nothing can be printed of what is missing');
  }
}
