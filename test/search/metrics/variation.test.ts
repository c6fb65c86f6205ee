import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { DEFAULT_SEARCH_OPERANDS, DEFAULT_SEARCH_OPERATIONS } from '../../../src/search/metrics/plan.ts';
import type { Expression } from '../../../src/metric/expression.ts';
import { depthOf, operandsOf, sizeOf } from '../../../src/metric/measure.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { printPrefix } from '../../../src/metric/print.ts';
import { isShapeProblem, shapeOf } from '../../../src/metric/shape.ts';
import { alphabetOf, pickWeighted } from '../../../src/search/metrics/alphabet.ts';
import type { Alphabet } from '../../../src/search/metrics/alphabet.ts';
import { candidateRng } from '../../../src/search/lifecycle/candidateRng.ts';
import { randomTree } from '../../../src/search/metrics/randomTree.ts';
import { nodesOf, replaceNode } from '../../../src/search/metrics/tree.ts';
import { crossover, MUTATIONS, possibleMutations } from '../../../src/search/metrics/variation.ts';
import type { Mutation } from '../../../src/search/metrics/variation.ts';
import { prunerZeroExpression } from '../../metric/arbitraryExpression.ts';

const alphabet = alphabetOf({ operations: DEFAULT_SEARCH_OPERATIONS, operands: DEFAULT_SEARCH_OPERANDS });
const ALPHABETS: readonly [string, Alphabet][] = [
  ['all of it', alphabet],
  ['no operation with one argument', { ...alphabet, unary: [] }],
  ['no operation with two arguments', { ...alphabet, binary: [] }],
  ['one of each', { operands: ['W'], unary: ['sqrt'], binary: ['mul'], constants: 'none' }],
  ['no operation', { operands: ['W', 'X'], unary: [], binary: [], constants: 'none' }],
];

describe('random trees', () => {
  it.each(ALPHABETS)('keep to depth and alphabet: %s', (_, letters) => {
    const rng = new Rng(50);
    const deepest = letters.unary.length + letters.binary.length === 0 ? 1 : 4;
    const depths = new Set<number>();
    for (let i = 0; i < 400; i++) {
      const tree = randomTree(i % 2 === 0 ? 'grow' : 'full', 4, letters, rng);
      depths.add(depthOf(tree));
      expect(symbolsOf(tree).every((symbol) => isOf(letters, symbol))).toBe(true);
      expect(operandsOf(tree).length).toBeGreaterThan(0);
      expect(isShapeProblem(shapeOf(tree))).toBe(false);
    }
    expect([...depths].sort()).toEqual(deepest === 1 ? [1] : [2, 3, 4]);
  });

  it('end all at one depth when full, and at several when grown', () => {
    const rng = new Rng(51);
    const leafDepths = (tree: Expression): number =>
      new Set(nodesOf(tree).flatMap(({ node, depth }) => (node.kind === 'operation' ? [] : [depth]))).size;
    const trees = (shape: 'grow' | 'full'): number[] =>
      Array.from({ length: 200 }, () => leafDepths(randomTree(shape, 4, alphabet, rng)));
    expect(new Set(trees('full'))).toEqual(new Set([1]));
    expect(new Set(trees('grow')).size).toBeGreaterThan(1);
  });
});

describe('edits', () => {
  it('replace the node of a number', () => {
    const tree = parsePrefix('mul(sqrt(W), add(X, G))');
    const replaced = nodesOf(tree).map((_, i) => printPrefix(replaceNode(tree, i, parsePrefix('W'))));
    expect(replaced).toEqual([
      'W',
      'mul(W, add(X, G))',
      'mul(sqrt(W), add(X, G))',
      'mul(sqrt(W), W)',
      'mul(sqrt(W), add(W, G))',
      'mul(sqrt(W), add(X, W))',
    ]);
  });
});

describe('crossover', () => {
  it('preserves the symbols of both', () => {
    let changed = 0;
    fc.assert(
      fc.property(prunerZeroExpression, prunerZeroExpression, fc.nat(), (a, b, seed) => {
        const [x, y] = crossover(a, b, alphabet, new Rng(seed));
        expect([...symbolsOf(x), ...symbolsOf(y)].sort()).toEqual([...symbolsOf(a), ...symbolsOf(b)].sort());
        if (printPrefix(x) !== printPrefix(a)) changed++;
      }),
      { numRuns: 500, seed: 52 },
    );
    expect(changed).toBeGreaterThan(250);
  });
});

describe('mutations', () => {
  const table: readonly [Mutation, (before: Expression, after: Expression) => void][] = [
    [
      'mutate-operation',
      (before, after) => {
        expect(shapeOfTree(after)).toBe(shapeOfTree(before));
        expect(differences(before, after)).toEqual(['operation']);
      },
    ],
    [
      'mutate-operand',
      (before, after) => {
        expect(shapeOfTree(after)).toBe(shapeOfTree(before));
        expect(differences(before, after)).toEqual(['operand']);
      },
    ],
    ['mutate-subtree', () => undefined],
    [
      'insert',
      (before, after) => {
        const kept = symbolsOf(after);
        for (const symbol of symbolsOf(before)) kept.splice(kept.indexOf(symbol), 1);
        expect(kept.length).toBe(sizeOf(after) - sizeOf(before));
        expect(kept.length).toBeGreaterThan(0);
      },
    ],
    [
      'hoist',
      (before, after) => {
        expect(sizeOf(after)).toBeLessThan(sizeOf(before));
      },
    ],
  ];
  it.each(table)('%s does what it says, wherever it is possible', (name, check) => {
    let possible = 0;
    fc.assert(
      fc.property(prunerZeroExpression, fc.constantFrom(...ALPHABETS), fc.nat(), (tree, [, letters], seed) => {
        if (possibleMutations(tree, letters)[name] === 0) return;
        possible++;
        const after = MUTATIONS[name](tree, letters, new Rng(seed));
        expect(isShapeProblem(shapeOf(after))).toBe(false);
        check(tree, after);
      }),
      { numRuns: 500, seed: 53 },
    );
    expect(possible).toBeGreaterThan(150);
  });

  it('are not tried where they are impossible', () => {
    const possible = (text: string, letters: Alphabet): string[] =>
      Object.entries(possibleMutations(parsePrefix(text), letters)).flatMap(([name, weight]) =>
        weight > 0 ? name : [],
      );
    expect(possible('W', alphabet)).toEqual(['mutate-operand', 'mutate-subtree', 'insert']);
    expect(possible('sqrt(W)', { operands: ['W'], unary: ['sqrt'], binary: [], constants: 'none' })).toEqual([
      'mutate-subtree',
      'insert',
      'hoist',
    ]);
    expect(possible('W', { operands: ['W', 'X'], unary: [], binary: [], constants: 'none' })).toEqual([
      'mutate-operand',
      'mutate-subtree',
    ]);
  });
});

describe('chances', () => {
  it('are in proportion to the weights, and none where all are 0', () => {
    const rng = new Rng(54);
    const counts = { a: 0, b: 0, c: 0 };
    for (let i = 0; i < 4000; i++) counts[pickWeighted({ a: 1, b: 0, c: 3 }, rng)!]++;
    expect(counts.b).toBe(0);
    expect(counts.c / counts.a).toBeCloseTo(3, 0);
    expect(pickWeighted({ a: 0, b: 0 }, rng)).toBeUndefined();
  });

  it('of a candidate depend on the seed and its id alone, and differ', () => {
    const first = (seed: number, id: number): number => candidateRng(seed, id).uint32();
    expect(first(3, 7)).toBe(first(3, 7));
    const pairs = [0, 1, 2 ** 40].flatMap((seed) => [0, 1, 2, 2 ** 21, 2 ** 21 + 1].map((id) => first(seed, id)));
    expect(new Set(pairs).size).toBe(pairs.length);
  });
});

function symbolsOf(tree: Expression): string[] {
  return printPrefix(tree).match(/\w+/g)!;
}

function isOf({ operands, unary, binary }: Alphabet, symbol: string): boolean {
  return [...operands, ...unary, ...binary].some((name) => name === symbol);
}

/** The tree without its names. */
function shapeOfTree(tree: Expression): string {
  return printPrefix(tree).replaceAll(/\w+/g, '·');
}

/** The kinds of nodes whose names differ, of trees of one shape. */
function differences(a: Expression, b: Expression): string[] {
  const after = nodesOf(b);
  return nodesOf(a).flatMap(({ node }, i) => {
    const other = after[i]!.node;
    if (node.kind === 'operation' && other.kind === 'operation' && node.operation !== other.operation)
      return ['operation'];
    if (node.kind === 'operand' && other.kind === 'operand' && node.name !== other.name) return ['operand'];
    return [];
  });
}
