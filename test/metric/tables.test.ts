import { describe, expect, it } from 'vitest';
import { constantValue } from '../../src/metric/constant.ts';
import { operand, number, operation as op } from '../../src/metric/expression.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { depthOf, operandsOf, sizeOf, statisticsOf } from '../../src/metric/measure.ts';
import { nearestName } from '../../src/metric/nearest.ts';
import { OPERANDS, OPERAND_NAMES } from '../../src/metric/operands.ts';
import { OPERATION_NAMES, OPERATIONS } from '../../src/metric/operations.ts';
import { broadcast, isShapeProblem, MATRIX, resultShape, ROW, SCALAR, shapeOf } from '../../src/metric/shape.ts';
import type { Shape } from '../../src/metric/shape.ts';
import { isNonNegative, keepsRanking } from '../../src/metric/sign.ts';
import { parseExpression } from '../../src/language/check/compile.ts';
import { Rng } from '../../src/base/rng.ts';

const [W, X] = [operand('W'), operand('X')];

describe('the tables', () => {
  it('have every operation and operand of Pruner-Zero', () => {
    const searchable = OPERATION_NAMES.filter((name) => OPERATIONS[name].searchable).sort();
    expect(searchable).toEqual('abs add div exp log mms mul neg pow skp sqr sqrt sub tanh zsn'.split(' '));
    expect(OPERAND_NAMES).toEqual(expect.arrayContaining(['W', 'X', 'G']));
  });

  it('say what each name is and does, in words that are its own', () => {
    const rows = [...Object.values(OPERATIONS), ...Object.values(OPERANDS)];
    for (const { formula, documentation } of rows) {
      expect(formula).not.toBe('');
      expect(documentation).toMatch(/^[A-Zx].*\.$/s);
    }
    const names = [...OPERATION_NAMES, ...OPERAND_NAMES];
    expect(new Set(names).size).toBe(names.length);
  });

  it('need calibration for every operand but the weights', () => {
    const weights = OPERAND_NAMES.filter((name) => OPERANDS[name].needs.length === 0);
    expect(weights).toEqual(['W', 'Wsigned']);
  });
});

describe('broadcasting', () => {
  const table: [Shape, Shape, Shape | undefined][] = [
    [MATRIX, MATRIX, MATRIX],
    [MATRIX, ROW, MATRIX],
    [ROW, MATRIX, MATRIX],
    [ROW, ROW, ROW],
    [SCALAR, ROW, ROW],
    [MATRIX, SCALAR, MATRIX],
    [SCALAR, SCALAR, SCALAR],
    [ROW, ['out', 1], MATRIX],
    [['in'], MATRIX, MATRIX],
    [['out'], MATRIX, undefined],
    [['in', 'out'], MATRIX, undefined],
    [['out', 'in', 1], ROW, ['out', 'in', 'in']],
  ];
  it.each(table)('%j with %j gives %j', (left, right, expected) => {
    expect(broadcast(left, right)).toEqual(expected);
  });

  it.each(OPERATION_NAMES.filter((name) => OPERATIONS[name].arity === 2))(
    '%s refuses what does not broadcast',
    (name) => {
      expect(resultShape(name, [['in', 'out'], MATRIX])).toMatchObject({ kind: 'broadcast', operation: name });
    },
  );

  it.each(['mms', 'zsn', 'div'] as const)('%s refuses numbers', (name) => {
    const { arity } = OPERATIONS[name];
    const result = resultShape(
      name,
      Array.from({ length: arity }, () => SCALAR),
    );
    expect(isShapeProblem(result) && result.kind).toBe('needs-tensor');
  });

  it.each([
    ['W * sqrt(X)', MATRIX],
    ['sqrt(X)', ROW],
    ['div(X, W)', MATRIX],
    ['mms(X) + 1', ROW],
  ] as const)('%s has its shape', (text, shape) => {
    expect(shapeOf(parseExpression(text))).toEqual(shape);
  });
});

describe('constants', () => {
  const table: [Expression, number | undefined][] = [
    [op('power', number(2), number(3)), 8],
    [op('sub', W, W), 0],
    [op('sub', W, X), undefined],
    [op('mul', number(0), X), 0],
    [op('quotient', op('sqrt', W), op('sqrt', W)), 1],
    [op('power', W, number(0)), 1],
    [op('add', op('neg', X), X), 0],
    [op('add', op('sub', X, X), number(2)), 2],
    [op('sqrt', number(-4)), 2],
    [op('log', number(0)), Math.log(0.001)],
    [op('exp', number(1000)), Math.exp(100)],
    [op('quotient', number(1), op('sub', W, W)), Infinity],
    [op('mms', W), undefined],
    [op('mul', W, X), undefined],
  ];
  it.each(table)('%#: %j', (expression, value) => {
    expect(constantValue(expression)).toBe(value);
  });
});

describe('signs and rankings', () => {
  it.each([
    ['W * sqrt(X)', true],
    ['W - X', false],
    ['Wsigned', false],
    ['Wsigned ^ 2 + abs(Xmean)', false],
    ['sqr(Wsigned) + abs(Xmean)', true],
    ['log(W)', false],
    ['tanh(W)', true],
    ['W * -1', false],
  ])('%s is known to be ≥ 0: %s', (text, expected) => {
    expect(isNonNegative(parseExpression(text))).toBe(expected);
  });

  it.each(OPERATION_NAMES.filter((name) => OPERATIONS[name].arity === 1))(
    '%s keeps the order only where it says so',
    (name) => {
      // Values in float64, on both sides of zero and on one: strictly increasing exactly where the table says so.
      for (const [text, low] of [
        ['Wsigned', -3],
        ['W', 0],
      ] as const) {
        const values = Array.from({ length: 40 }, (_, i) => low + 0.25 + i * 0.15);
        const results = values.map((value) => evaluate(name, values, value));
        const increasing = results.every((result, i) => i === 0 || result > results[i - 1]!);
        expect([text, increasing]).toEqual([text, keepsRanking(name, parseExpression(text))]);
      }
    },
  );
});

describe('measures', () => {
  it('count shared subtrees as often as they occur', () => {
    const shared = op('sqrt', X);
    const tree = op('mul', op('add', shared, shared), W);
    expect([sizeOf(tree), depthOf(tree), operandsOf(tree), statisticsOf(tree)]).toEqual([
      7,
      4,
      ['W', 'X'],
      ['sum-of-squares'],
    ]);
    expect(statisticsOf(W)).toEqual([]);
    expect(statisticsOf(operand('Xvar'), X)).toEqual(['sum', 'sum-of-squares', 'token-count']);
  });
});

describe('nearest names', () => {
  it.each([
    ['tnah', 'tanh'],
    ['srqt', 'sqrt'],
    ['SQRT', 'sqrt'],
    ['absolute', undefined],
    ['zzz', undefined],
    ['w', 'W'],
    ['q', undefined],
    ['sqrtt', 'sqrt'],
  ])('%s → %s', (name, expected) => {
    expect(nearestName(name, [...OPERATION_NAMES, ...OPERAND_NAMES])).toBe(expected);
  });

  it('takes no more time for long names', () => {
    const rng = new Rng(1);
    const long = Array.from({ length: 100_000 }, () => 'ab'[rng.integer(2)]).join('');
    expect(nearestName(long, [long.slice(1)])).toBeUndefined();
  });
});

/** One operation on one of several values, straight from the formulas. */
function evaluate(name: string, all: readonly number[], x: number): number {
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all.length - 1));
  const formulas: Record<string, number> = {
    sqr: x * x,
    pow: x * x,
    neg: -x,
    abs: Math.abs(x),
    tanh: Math.tanh(x),
    skp: x,
    log: Math.log(Math.abs(x) + 0.001),
    exp: Math.exp(Math.min(x, 100)),
    sqrt: Math.sqrt(Math.abs(x)),
    mms: (x - Math.min(...all)) / (Math.max(...all) - Math.min(...all)),
    zsn: (x - mean) / deviation,
  };
  return formulas[name]!;
}
