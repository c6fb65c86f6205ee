import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { parseExpression } from '../../../src/language/check/compile.ts';
import { canonical } from '../../../src/metric/canonical.ts';
import type { Expression } from '../../../src/metric/expression.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { printInfix, printPrefix } from '../../../src/metric/print.ts';
import { isShapeProblem, shapeOf } from '../../../src/metric/shape.ts';
import { DEFAULT_SEARCH_OPERANDS, DEFAULT_SEARCH_OPERATIONS } from '../../../src/search/metrics/plan.ts';
import { alphabetOf } from '../../../src/search/metrics/alphabet.ts';
import type { Constants } from '../../../src/search/metrics/alphabet.ts';
import {
  decidesRanking,
  dialsOf,
  LIMITS,
  movedValue,
  onGrid,
  tidy,
  turned,
  withConstant,
} from '../../../src/search/metrics/constants.ts';
import { nodesOf } from '../../../src/search/metrics/tree.ts';
import { MUTATIONS, crossover, possibleMutations } from '../../../src/search/metrics/variation.ts';
import { prunerZeroExpression } from '../../metric/arbitraryExpression.ts';

describe('numbers of a search', () => {
  it('are short, and read back as they are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('exponent', 'factor'),
        fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        (kind, value) => {
          const number = onGrid(value, kind);
          const { low, high } = LIMITS[kind];
          expect(number >= low && number <= high).toBe(true);
          expect(String(number)).toMatch(/^[\d.]{1,8}$/);
          expect(onGrid(number, kind)).toBe(number);
          if (value > low && value < high) expect(number / value).toBeCloseTo(1, 2);
        },
      ),
      { numRuns: 500, seed: 71 },
    );
  });

  it.each([
    [1, 0.1, 1.11],
    [1, -0.1, 0.905],
    [1, 1e-6, 1.01],
    [1.23, -1e-6, 1.22],
    [0.5, 0.7, 1.01],
    [7.9, 3, 8],
    [8, 1, 8],
    [0.05, -1, 0.05],
  ])('%d moves by %d e-folds to %d, and always by a step of the grid', (value, by, expected) => {
    expect(movedValue({ kind: 'exponent', node: 0, value, written: true }, by)).toBe(expected);
  });
});

describe('the dials of a metric', () => {
  const table: readonly (readonly [string, Constants, readonly string[]])[] = [
    ['W * sqrt(X)', 'none', []],
    ['W * sqrt(X)', 'exponents', ['W ^ 1', 'sqrt(X) ^ 0.5!']],
    ['W * sqrt(X)', 'all', ['W ^ 1', 'sqrt(X) ^ 0.5!']],
    ['W + X', 'exponents', ['W + X ^ 1', 'W ^ 1', 'X ^ 1']],
    ['W + X', 'all', ['W + X ^ 1', 'W ^ 1', 'X ^ 1', 'X * 1']],
    ['0.3 * W + X', 'all', ['0.3 * W + X ^ 1', '0.3 * W * 0.3!', 'W ^ 1', 'X ^ 1']],
    ['W ^ 1.2 * mms(G)', 'exponents', ['W ^ 1.2 ^ 1.2!', 'mms(G) ^ 1', 'G ^ 1']],
    ['tanh(W) * X', 'all', ['tanh(W) ^ 1', 'W ^ 1', 'W * 1', 'X ^ 1']],
    ['W ^ -2 * X', 'exponents', ['X ^ 1']],
    ['W ^ X', 'exponents', ['W ^ 1', 'X ^ 1']],
  ];
  it.each(table)('%s with %s', (text, constants, expected) => {
    const tree = parseExpression(text);
    const dials = dialsOf(tree, constants).map(({ kind, node, value, written }) => {
      const at = printInfix(nodesOf(tree)[node]!.node);
      return `${at} ${kind === 'exponent' ? '^' : '*'} ${value}${written ? '!' : ''}`;
    });
    expect(dials).toEqual(expected);
  });

  it.each([
    ['W * sqrt(X)', 'exponent', 'sqrt(X)', 0.6, 'W * X ^ 0.6'],
    ['W * X ^ 0.6', 'exponent', 'X ^ 0.6', 1, 'W * X'],
    ['W * X', 'exponent', 'X', 0.6, 'W * X ^ 0.6'],
    ['sqr(Wsigned) * X', 'exponent', 'sqr(Wsigned)', 2.2, 'abs(Wsigned) ^ 2.2 * X'],
    ['W + X', 'factor', 'X', 3, 'W + 3 * X'],
    ['W + 3 * X', 'factor', '3 * X', 1, 'W + X'],
    ['W + X * 3', 'factor', 'X * 3', 2, 'W + 2 * X'],
    ['mms(G - X) * W', 'exponent', 'mms(G - X)', 0.3, 'mms(G - X) ^ 0.3 * W'],
  ] as const)('%s: the %s of %s at %d is %s', (text, kind, at, value, expected) => {
    const tree = parseExpression(text);
    const dial = dialsOf(tree, 'all').find(
      (one) => one.kind === kind && printInfix(nodesOf(tree)[one.node]!.node) === at,
    );
    expect(printInfix(turned(tree, dial!, value))).toBe(expected);
  });

  it.each([
    ['(W ^ 0.3) ^ 1.5', 'W ^ 0.45'],
    ['(W ^ 0.5) ^ 2', 'W'],
    ['sqrt(W) ^ 3', 'sqrt(W) ^ 3'],
    ['2 * (W * 3) + X', '6 * W + X'],
    ['0.5 * (2 * W) + X', 'W + X'],
    ['(W - X) ^ 0.5', 'abs(W - X) ^ 0.5'],
    ['(W - X) ^ 2', '(W - X) ^ 2'],
    ['(X ^ -0.5) ^ 2', '(X ^ -0.5) ^ 2'],
    ['(W ^ 5) ^ 1', 'W ^ 5'],
    ['(W ^ 6) ^ 4', 'W ^ 8'],
    ['-3 * (2 * W) + X', '-3 * (2 * W) + X'],
  ])('%s in order is %s', (text, expected) => {
    expect(printInfix(tidy(parseExpression(text)))).toBe(expected);
  });
});

describe('a constant that is drawn', () => {
  it('changes the ranking, wherever it is put', () => {
    let drawn = 0;
    fc.assert(
      fc.property(prunerZeroExpression, fc.constantFrom('exponents', 'all'), fc.nat(), (tree, constants, seed) => {
        const result = withConstant(tree, constants, new Rng(seed));
        if (result === undefined) return;
        drawn++;
        expect(canonical(result).key).not.toBe(canonical(tree).key);
        expect(numbersOf(result).length).toBe(1);
      }),
      { numRuns: 400, seed: 72 },
    );
    expect(drawn).toBeGreaterThan(50);
  });

  it.each([
    ['sqr(W)', 0],
    ['W - X', 2],
    ['mms(W - X)', 2],
    ['mms(W * X)', 2],
    ['exp(W + X)', 3],
  ])('of the dials of %s %d decide the ranking', (text, expected) => {
    const tree = parseExpression(text);
    expect(
      dialsOf(tree, text.includes('exp') ? 'all' : 'exponents').filter((dial) => decidesRanking(tree, dial)),
    ).toHaveLength(expected);
  });
});

describe('variation', () => {
  const alphabet = alphabetOf({ operations: DEFAULT_SEARCH_OPERATIONS, operands: DEFAULT_SEARCH_OPERANDS }, 'all');

  it('leaves numbers with what they raise and multiply', () => {
    fc.assert(
      fc.property(prunerZeroExpression, prunerZeroExpression, fc.nat(), (a, b, seed) => {
        const rng = new Rng(seed);
        const [x, y] = [a, b].map((tree) => withConstant(tree, 'all', rng) ?? tree) as [Expression, Expression];
        const made = [crossover(x, y, alphabet, rng)[0]];
        for (const [name, weight] of Object.entries(possibleMutations(x, alphabet))) {
          if (weight > 0 && name !== 'tune') made.push(MUTATIONS[name as keyof typeof MUTATIONS](x, alphabet, rng));
        }
        for (const tree of made.map(tidy)) {
          expect(isShapeProblem(shapeOf(tree))).toBe(false);
          expect(tree.kind).not.toBe('number');
          for (const above of numbersOf(tree)) {
            expect(above?.kind === 'operation' && ['power', 'mul'].includes(above.operation), printPrefix(tree)).toBe(
              true,
            );
          }
          expect(parsePrefix(printPrefix(tree))).toEqual(tree);
        }
      }),
      { numRuns: 300, seed: 73 },
    );
  });

  it('tunes where there is something to tune, and only where constants may be', () => {
    const weight = (constants: Constants): number =>
      possibleMutations(parseExpression('W * X'), { ...alphabet, constants }).tune;
    expect([weight('none'), weight('exponents') > 0]).toEqual([0, true]);
  });
});

/** What stands above each number of a tree; undefined for a number that is a tree. */
function numbersOf(tree: Expression): (Expression | undefined)[] {
  const found: (Expression | undefined)[] = [];
  const visit = (node: Expression, above?: Expression): void => {
    if (node.kind === 'number') found.push(above);
    if (node.kind === 'operation') for (const argument of node.arguments) visit(argument, node);
  };
  visit(tree);
  return found;
}
