import { describe, expect, test } from 'vitest';
import { parseSparsity } from '../../../src/experiment/sparsity.ts';
import { OPERATIONS } from '../../../src/metric/operations.ts';
import { slopesOf, toBfloat16 } from '../../support/oracle/alibi.ts';
import { attention, rotate } from '../../support/oracle/attention.ts';
import { maskOf } from '../../support/oracle/masks.ts';
import type { Matrix } from '../../support/oracle/matrix.ts';
import { scoreOf } from '../../support/oracle/metric.ts';
import { LANGUAGE_METRICS, METRICS } from '../../support/oracle/metrics.ts';
import { layerNorm, rmsNorm } from '../../support/oracle/norms.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { rotation } from '../../support/oracle/rotary.ts';
import { eachHeadNormed } from '../../support/oracle/stableLm.ts';

// Cases that can be checked by hand, for each part of the float64 oracle.

const W = matrix([
  [3, 1, 2, 4],
  [8, 7, 6, 5],
]);
const X = matrix([[4, 0, 1, 9]]);

describe('a metric scores', () => {
  test.each<[string, number[][]]>([
    [
      'add(W, X)',
      [
        [7, 1, 3, 13],
        [12, 7, 7, 14],
      ],
    ],
    [
      'sub(X, W)',
      [
        [1, -1, -1, 5],
        [-4, -7, -5, 4],
      ],
    ],
    [
      'mul(W, sqrt(X))',
      [
        [6, 0, 2, 12],
        [16, 0, 6, 15],
      ],
    ],
    [
      'mul(W, 2)',
      [
        [6, 2, 4, 8],
        [16, 14, 12, 10],
      ],
    ],
    // ‖X broadcast to two rows‖ = sqrt(2 · (16 + 0 + 1 + 81)) = 14
    [
      'div(W, X)',
      [
        [3 / 14, 1 / 14, 2 / 14, 4 / 14],
        [8 / 14, 7 / 14, 6 / 14, 5 / 14],
      ],
    ],
    [
      'quotient(X, W)',
      [
        [4 / 3, 0, 1 / 2, 9 / 4],
        [4 / 8, 0, 1 / 6, 9 / 5],
      ],
    ],
    [
      'power(W, 2)',
      [
        [9, 1, 4, 16],
        [64, 49, 36, 25],
      ],
    ],
    [
      'sqr(neg(W))',
      [
        [9, 1, 4, 16],
        [64, 49, 36, 25],
      ],
    ],
    [
      'pow(skp(W))',
      [
        [9, 1, 4, 16],
        [64, 49, 36, 25],
      ],
    ],
    [
      'sqrt(neg(X))',
      [
        [2, 0, 1, 3],
        [2, 0, 1, 3],
      ],
    ],
    [
      'mms(W)',
      [
        [2 / 7, 0, 1 / 7, 3 / 7],
        [1, 6 / 7, 5 / 7, 4 / 7],
      ],
    ],
    // mean 4.5, unbiased variance 6
    [
      'zsn(W)',
      [
        [-1.5, -3.5, -2.5, -0.5],
        [3.5, 2.5, 1.5, 0.5],
      ].map((row) => row.map((x) => x / Math.sqrt(6))),
    ],
    [
      'log(X)',
      [
        [4.001, 0.001, 1.001, 9.001],
        [4.001, 0.001, 1.001, 9.001],
      ].map((row) => row.map(Math.log)),
    ],
    [
      'exp(mul(X, 20))',
      [
        [80, 0, 20, 100],
        [80, 0, 20, 100],
      ].map((row) => row.map(Math.exp)),
    ],
    [
      'tanh(abs(neg(W)))',
      [
        [3, 1, 2, 4],
        [8, 7, 6, 5],
      ].map((row) => row.map(Math.tanh)),
    ],
  ])('%s', (expression, expected) => {
    const score = scoreOf(fromPrefix(expression), { W, X }, 2, 4);
    const flat = expected.flat();
    score.values.forEach((value, i) => {
      expect(value).toBeCloseTo(flat[i]!, 12);
    });
  });

  test.each(['sub(W, W)', 'quotient(W, X)', 'mms(sub(X, X))'])('%s is refused: it cannot rank', (expression) => {
    expect(() => scoreOf(fromPrefix(expression), { W, X }, 2, 4)).toThrow(RangeError);
  });

  test('the metrics of the tests use every operation', () => {
    const text = Object.values({ ...METRICS, ...LANGUAGE_METRICS }).join(' ');
    const unused = Object.keys(OPERATIONS).filter((name) => !text.includes(`${name}(`));
    expect(unused).toEqual([]);
  });
});

describe('a mask removes', () => {
  const ties = matrix([
    [1, 1, 1, 1],
    [1, 0, 1, 2],
  ]);
  test.each<[string, Matrix, string, 'row' | 'layer', number[]]>([
    ['half of each row', W, '50%', 'row', [0, 1, 1, 0, 0, 0, 1, 1]],
    ['half of the layer', W, '50%', 'layer', [1, 1, 1, 1, 0, 0, 0, 0]],
    ['the whole part of the share', W, '49%', 'row', [0, 1, 0, 0, 0, 0, 0, 1]],
    ['two of each four', W, '2:4', 'row', [0, 1, 1, 0, 0, 0, 1, 1]],
    ['one of each two', W, '1:2', 'layer', [0, 1, 1, 0, 0, 1, 0, 1]],
    ['lower columns first among ties', ties, '50%', 'row', [1, 1, 0, 0, 1, 1, 0, 0]],
    ['earlier weights first among ties', ties, '50%', 'layer', [1, 1, 1, 0, 0, 1, 0, 0]],
  ])('%s', (_, score, sparsity, group, expected) => {
    expect([...maskOf(score, parseSparsity(sparsity)!, group)]).toEqual(expected);
  });
});

describe('a decoder’s parts', () => {
  test('a token’s rotation by a quarter turn swaps the halves of a head', () => {
    const turned = rotate(
      matrix([
        [1, 2],
        [1, 2],
      ]),
      2,
      { frequencies: [Math.PI / 2], magnitude: 3 },
    );
    expect([...turned.values].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([3, 6, -6, 3]);
  });

  test('of neighbours a quarter turn swaps the two of a pair', () => {
    const turned = rotate(
      matrix([
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ]),
      4,
      { frequencies: [Math.PI / 2, 0], magnitude: 1 },
      'neighbours',
    );
    expect([...turned.values].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([1, 2, 3, 4, -2, 1, 3, 4]);
  });

  test('capped scores are no further apart than twice the cap', () => {
    const [queries, keys, values] = [matrix([[1], [1e9]]), matrix([[-1e9], [1e9]]), matrix([[0], [1]])];
    const shape = { heads: 1, kvHeads: 1, headDim: 1, window: Infinity, scale: 1, cap: Math.log(3) / 2 };
    // e^cap to e^−cap is as 3 to 1.
    expect([...attention(queries, keys, values, shape).values].map((value) => value.toFixed(9))).toEqual([
      '0.000000000',
      '0.750000000',
    ]);
  });

  test('a head’s norm has the weights of that head', () => {
    const weights = [Float64Array.of(1, 2), Float64Array.of(3, 10)];
    expect([...eachHeadNormed(matrix([[1, 7, 9, 5]]), 2, (head) => weights[head]!, 0).values]).toEqual([-1, 2, 3, -10]);
  });

  test('linear scaling makes eight tokens turn as far as two', () => {
    const scaled = rotation({ rotaryDims: 4, theta: 10000, rope: { type: 'linear', factor: 4 } } as never, 8);
    expect(scaled).toEqual({ frequencies: [0.25, 0.0025], magnitude: 1 });
  });

  test('equal scores average what the window shows', () => {
    const same = matrix([[0], [0], [0], [0]]);
    const values = matrix([[8], [4], [2], [1]]);
    const mix = (window: number) => [
      ...attention(same, same, values, { heads: 1, kvHeads: 1, headDim: 1, window }).values,
    ];
    expect(mix(Infinity)).toEqual([8, 6, 14 / 3, 15 / 4]);
    expect(mix(2)).toEqual([8, 6, 3, 1.5]);
  });

  test('query heads share key-value heads in runs', () => {
    const values = matrix([[1, 2]]);
    const shape = { heads: 4, kvHeads: 2, headDim: 1, window: Infinity };
    expect([...attention(matrix([[0, 0, 0, 0]]), matrix([[0, 0]]), values, shape).values]).toEqual([1, 1, 2, 2]);
  });

  test('what is added to a key’s score draws attention there', () => {
    const same = matrix([[0], [0]]);
    const added = (head: number, key: number) => Math.log(3) * key * (1 - head);
    const both = { heads: 2, kvHeads: 1, headDim: 1, window: Infinity, added };
    const mixed = attention(
      matrix([
        [0, 0],
        [0, 0],
      ]),
      same,
      matrix([[8], [4]]),
      both,
    );
    expect([...mixed.values].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([8, 8, 5, 6]);
  });

  test.each([
    [1, [1 / 256]],
    [4, [1 / 4, 1 / 16, 1 / 64, 1 / 256]],
    [6, [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8]],
    [8, [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]],
  ])('ALiBi’s slopes of %d heads', (heads, slopes) => {
    expect(slopesOf(heads)).toEqual(slopes);
  });

  test.each([
    [0, 0],
    [256, 256],
    [257, 256],
    [259, 260],
    [261.5, 262],
    [0.7071067811865476, 0.70703125],
    [-3.0078125, -3],
  ])('%d has bfloat16’s eight digits as %d', (value, rounded) => {
    expect(toBfloat16(value)).toBe(rounded);
  });

  test('norms', () => {
    const x = matrix([[1, 7]]);
    expect([...rmsNorm(x, Float64Array.of(1, 2), 0).values]).toEqual([0.2, 0.2 * 14]);
    expect([...layerNorm(x, Float64Array.of(1, 2), Float64Array.of(0, 10), 0).values]).toEqual([-1, 12]);
  });
});

function matrix(rows: readonly (readonly number[])[]): Matrix {
  return { rows: rows.length, columns: rows[0]!.length, values: Float64Array.from(rows.flat()) };
}
