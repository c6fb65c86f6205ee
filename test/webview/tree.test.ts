import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeStatistics } from '../../src/experiment/inspectionSchema.ts';
import type { Direction } from '../../src/view/treeMessages.ts';
import { layOut } from '../../webview-ui/tree/layout.ts';
import { nodeByKey } from '../../webview-ui/tree/navigation.ts';
import { nodeSizes } from '../../webview-ui/tree/nodeElement.ts';
import type { NodeContent } from '../../webview-ui/tree/nodeElement.ts';
import { shapeText, spoken, type TreeNode, treeNodes } from '../../webview-ui/tree/nodes.ts';
import { formatNonFinite, formatValue, layerName } from '../../webview-ui/tree/words.ts';
import { fittingZoom, isWhole, limitedZoom, STEP } from '../../webview-ui/tree/zoom.ts';
import { anyExpression } from '../metric/arbitraryExpression.ts';
import { fromPrefix } from '../support/oracle/prefix.ts';

const nodesOf = (prefix: string, statistics?: readonly NodeStatistics[]): readonly TreeNode[] =>
  treeNodes({ expression: fromPrefix(prefix), references: {} }, statistics);

const statistic = (changes: Partial<NodeStatistics> = {}): NodeStatistics => ({
  ...{ path: [], shape: [688, 256], minimum: 0, maximum: 1, mean: 0.25, nonFinite: 0, histogram: [] },
  ...changes,
});

describe('what a screen reader says', () => {
  const table: [words: string, prefix: string, statistics: Partial<NodeStatistics> | undefined][] = [
    ['mms of G, 688 by 256, from 0 to 1, mean 0.25', 'mms(G)', {}],
    ['mul of W and sqrt, a matrix', 'mul(W, sqrt(X))', undefined],
    ['X, a row', 'X', undefined],
    [
      'X, a row of 256, from −1.2 to 4.56e−7, mean −0.003',
      'X',
      { shape: [1, 256], minimum: -1.2, maximum: 4.56e-7, mean: -0.003 },
    ],
    ['sub of W and W, 688 by 256, 0 everywhere', 'sub(W, W)', { maximum: 0, mean: 0 }],
    ['exp of X, 688 by 256, from 0 to 1, mean 0.25, less than 0.1 % not finite', 'exp(X)', { nonFinite: 1e-6 }],
    [
      'quotient of W and sub, 688 by 256, no finite value',
      'quotient(W, sub(W, W))',
      { minimum: null, maximum: null, mean: null, nonFinite: 1 },
    ],
    ['2, a number', '2', undefined],
    ['2', '2', { shape: [1, 1] }],
  ];
  it.each(table)('%s', (words, prefix, statistics) => {
    const [root] = nodesOf(prefix, statistics && [statistic(statistics)]);
    expect(spoken(root!)).toBe(words);
  });

  it('names what a reference stands for', () => {
    const form = { expression: fromPrefix('abs(mul(W, X))'), references: { 1: 'wanda' } };
    expect(spoken(treeNodes(form, undefined)[1]!)).toBe('mul of W and X, stands for wanda, a matrix');
  });
});

describe('numbers as they are written', () => {
  const values: [number, string][] = [
    [0, '0'],
    [1, '1'],
    [0.012345, '0.0123'],
    [-1234.5, '−1230'],
    [99999, '100000'],
    [123456, '1.23e5'],
    [0.00099, '9.9e−4'],
    [-1e-30, '−1e−30'],
    [3.4028234663852886e38, '3.4e38'],
  ];
  it.each(values)('%d is %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  const shares: [number, string][] = [
    [0, '0 %'],
    [1e-9, '<0.1 %'],
    [0.001, '0.1 %'],
    [0.326, '32.6 %'],
    [0.9999, '>99.9 %'],
    [1, '100 %'],
  ];
  it.each(shares)('a share of %d is %s', (share, text) => {
    expect(formatNonFinite(share)).toBe(text);
  });

  it.each([
    ['model.layers.3.mlp.up_proj.weight', 'Block 4', 'mlp.up_proj'],
    ['model.decoder.layers.0.self_attn.q_proj.weight', 'Block 1', 'self_attn.q_proj'],
    ['something.else', 'Layers', 'something.else'],
  ])('the layer %s is in %s', (tensor, block, name) => {
    expect(layerName(tensor)).toEqual({ block, name });
  });

  it('a shape is symbolic until a layer is known', () => {
    expect(nodesOf('mul(W, 2)').map(shapeText)).toEqual(['[out, in]', '[out, in]', 'a number']);
    expect(shapeText(nodesOf('W', [statistic()])[0]!)).toBe('[688, 256]');
  });
});

const DIRECTIONS: readonly Direction[] = ['right', 'down'];

describe.each(DIRECTIONS)('a tree drawn %s', (direction) => {
  const size = { width: 100, height: 30 };
  const sizesOf = (nodes: readonly TreeNode[]) => ({
    height: size.height,
    widths: Array.from({ length: Math.max(...nodes.map(({ level }) => level)) }, () => size.width),
  });

  it('has its nodes beside each other, inside the sheet, children behind their parent', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const nodes = treeNodes({ expression, references: {} }, undefined);
        const { corners, links, width, height } = layOut(nodes, sizesOf(nodes), direction);
        expect(links).toHaveLength(nodes.length - 1);
        for (const [i, a] of corners.entries()) {
          expect(a.x >= 0 && a.y >= 0 && a.x + size.width <= width && a.y + size.height <= height).toBe(true);
          for (const b of corners.slice(i + 1)) {
            expect(Math.abs(a.x - b.x) >= size.width || Math.abs(a.y - b.y) >= size.height).toBe(true);
          }
          const parent = nodes[i]!.parent;
          if (!parent) continue;
          const from = corners[parent.index]!;
          expect(direction === 'right' ? a.x - from.x : a.y - from.y).toBeGreaterThan(0);
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('of the largest metric is laid out at once', () => {
    const deep = `${'abs('.repeat(450)}W${')'.repeat(450)}`;
    const nodes = nodesOf(`add(${deep}, ${deep})`);
    const { corners } = layOut(nodes, sizesOf(nodes), direction);
    expect(corners).toHaveLength(903);
  });

  it('can be walked to every node with the arrow keys', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const nodes = treeNodes({ expression, references: {} }, undefined);
        const reached = new Set([nodes[0]!]);
        for (const node of reached) {
          for (const key of ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']) {
            const next = nodeByKey(nodes, node, key, direction);
            if (next) reached.add(next);
          }
        }
        expect(reached.size).toBe(nodes.length);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('is walked as it is drawn', () => {
    // add(mul(W, X), abs(G)): numbers 0 to 5.
    const nodes = nodesOf('add(mul(W, X), abs(G))');
    const [inward, outward, before, after] =
      direction === 'right'
        ? ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown']
        : ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'];
    const steps: [from: number, key: string, to: number | undefined][] = [
      ...([
        [0, inward, 1],
        [1, inward, 2],
        [2, inward, undefined],
        [0, outward, undefined],
      ] as const),
      ...([
        [5, outward, 4],
        [1, after, 4],
        [4, before, 1],
        [3, after, 5],
        [5, after, undefined],
      ] as const),
      ...([
        [2, before, undefined],
        [4, 'Home', 0],
        [1, 'End', 5],
        [1, 'x', undefined],
      ] as const),
    ].map(([from, key, to]) => [from, key, to]);
    for (const [from, key, to] of steps) {
      expect(nodeByKey(nodes, nodes[from]!, key, direction)?.index, `${from} ${key}`).toBe(to);
    }
  });
});

describe('a tree that opens', () => {
  const half = { width: 434, height: 420 };
  const drawn = (prefix: string, direction: Direction, content: NodeContent) => {
    const nodes = nodesOf(prefix);
    return layOut(nodes, nodeSizes(nodes, content, direction), direction);
  };
  const PAPER = 'mul(abs(mul(W, W)), mms(G))';
  const DEEP = 'mms(add(mul(abs(mul(W, W)), mms(X)), tanh(mul(W, power(X, 0.5)))))';

  it.each<[string, string, Direction, NodeContent]>([
    ['of a paper, in half an editor', PAPER, 'right', 'shapes'],
    ['of a paper, top down', PAPER, 'down', 'shapes'],
    ['with what its nodes compute', 'mul(W, sqrt(X))', 'right', 'numbers'],
    ['that is deeper, by its names', DEEP, 'right', 'names'],
  ])('%s is seen whole, root and leaves', (_, prefix, direction, content) => {
    const tree = drawn(prefix, direction, content);
    const zoom = fittingZoom(tree, half);
    expect(tree.width * zoom).toBeLessThanOrEqual(half.width);
    expect(tree.height * zoom).toBeLessThanOrEqual(half.height);
    expect(zoom).toBeGreaterThanOrEqual(0.55);
  });

  it('is never so small that it cannot be read, never larger than natural, and as large as there is room for', () => {
    fc.assert(
      fc.property(
        anyExpression,
        fc.integer({ min: 60, max: 3000 }),
        fc.integer({ min: 60, max: 2000 }),
        (expression, width, height) => {
          const nodes = treeNodes({ expression, references: {} }, undefined);
          const tree = layOut(nodes, nodeSizes(nodes, 'shapes', 'right'), 'right');
          const zoom = fittingZoom(tree, { width, height });
          expect(zoom >= 0.55 && zoom <= 1).toBe(true);
          const fits = (scale: number): boolean =>
            tree.width * scale <= width + 1e-6 && tree.height * scale <= height + 1e-6;
          expect(fits(zoom) || zoom === 0.55).toBe(true);
          expect(zoom === 1 || !fits(zoom * 1.01)).toBe(true);
          expect(isWhole(tree, { width, height })).toBe(fits(zoom));
        },
      ),
      { seed: 2, numRuns: 60 },
    );
  });

  it('grows and shrinks by steps, with limits and a notch at its natural size', () => {
    expect([limitedZoom(0.01), limitedZoom(50), limitedZoom(0.98), limitedZoom(0.6 * STEP)]).toEqual([0.2, 2, 1, 0.72]);
  });
});
