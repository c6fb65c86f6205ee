import { describe, expect, it } from 'vitest';
import { figureSchema } from '../../src/figures/figureSchema.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import type { MetricCandidate } from '../../src/search/metrics/events.ts';
import { barsFigure, heatFigure } from '../../webview-ui/panel/common/blockFigures.ts';
import { lineFigure } from '../../webview-ui/panel/common/lineFigure.ts';
import { across } from '../../webview-ui/panel/common/lines.ts';
import type { Line } from '../../webview-ui/panel/common/lines.ts';
import { candidateFigure } from '../../webview-ui/panel/metrics/candidateFigure.ts';
import { curveFigure } from '../../webview-ui/panel/metrics/curveFigure.ts';
import { treeFigure } from '../../webview-ui/tree/treeFigure.ts';
import { treeNodes } from '../../webview-ui/tree/nodes.ts';

const best: Line = {
  label: 'best so far',
  style: 'best',
  points: [
    { x: 1, y: 2.47 },
    { x: 4, y: 2.446 },
  ],
};
const wanda: Line = { label: 'wanda', style: 'baseline', points: across(2.452, 1, 20) };
const dense: Line = { label: 'dense', style: 'dense', points: across(2.1, 1, 20) };
const worst: Line = {
  label: 'worst',
  style: 'worst',
  points: [
    { x: 1, y: 900 },
    { x: 4, y: 700 },
  ],
};
const scale = { kind: 'linear', min: 2.44, max: 2.48, above: 0 } as const;
const view = { lines: [worst, dense, wanda, best], scale, along: 'generation', first: 1, last: 8 };

describe('lines for print', () => {
  it('end with what there is, leave out what has left the axis, and keep dense below a break', () => {
    const figure = lineFigure('Best by generation', view)!;
    expect(figure.series.map(({ name, mark, emphasis }) => [name, mark, emphasis])).toEqual([
      ['dense', 'line', 'reference'],
      ['wanda', 'line', 'reference'],
      ['best so far', 'step', 'main'],
    ]);
    expect(figure.x).toMatchObject({ label: 'generation', min: 1, max: 4, whole: true });
    const { min, max, gap } = figure.y;
    expect(min).toBeLessThan(2.1);
    expect(gap!.from).toBeGreaterThan(2.1);
    expect([gap!.to, max]).toEqual([2.44, 2.48]);
    expect(figureSchema.parse(figure)).toEqual(figure);
  });

  it.each([
    ['of nothing', { ...scale, min: 0, max: 0 }, [], undefined],
    ['with dense in sight', { ...scale, min: 2 }, [dense, best], undefined],
    ['of logarithms', { kind: 'logarithmic', min: 2.2, max: 1000, above: 0 }, [worst, dense, best], undefined],
  ] as const)('%s, have no break', (_, other, lines, gap) => {
    expect(lineFigure('', { ...view, scale: other, lines })?.y.gap).toBe(gap);
  });
});

describe('other charts for print', () => {
  it('bars: what is even is a line, and what is not finite is left out', () => {
    const figure = barsFigure('Best rates', {
      bars: { label: 'best', values: [0.2, NaN, 0.4] },
      references: [
        { label: 'uniform', values: [0.3, 0.3, 0.3], style: 'uniform' },
        { label: 'owl', values: [0.1, 0.3, 0.5], style: 'owl' },
      ],
      meaning: 'pruned share',
    });
    expect(figure.series.map(({ mark, points }) => [mark, points.length])).toEqual([
      ['bars', 2],
      ['line', 2],
      ['points', 3],
    ]);
    expect(figureSchema.parse(figure)).toEqual(figure);
  });

  it('maps: columns by what they count, gaps where there is no value', () => {
    const text = String;
    const figure = heatFigure('Rates', 'block', {
      ...{
        rows: 2,
        columns: 2,
        min: 0,
        max: 1,
        format: text,
        isShare: true,
        rowLabel: text,
        along: 'gen.',
        counts: 'generation',
      },
      ...{ columnNumber: (column) => 5 * column, describe: () => '', meaning: 'share', summary: '', key: '' },
      at: (row, column) => (row === 1 && column === 0 ? NaN : 0.5),
    });
    expect(figure).toMatchObject({ rows: ['1', '2'], columns: ['0', '5'], columnLabel: 'generation', format: 'share' });
    expect(figure.values).toEqual([
      [0.5, 0.5],
      [null, 0.5],
    ]);
    expect(figureSchema.parse(figure)).toEqual(figure);
  });

  it('candidates: as many as are told apart, in bands, with the best of each size', () => {
    const candidates = Array.from({ length: 10_000 }, (_, id): MetricCandidate => ({
      ...{ id, generation: id % 2, operator: 'grow', parents: [], expression: 'W', size: 1 + (id % 9), depth: 1 },
      outcome:
        id % 10 === 0 ? { kind: 'invalid', reason: 'constant', detail: '' } : { kind: 'full', perplexity: 2 + id },
    }));
    const bands = [0, 1].map((first) => ({ first, last: first }));
    const figure = candidateFigure(candidates, candidates.slice(1, 4), bands, { ...scale, max: 500 }, 'perplexity');
    const [first, second, front] = figure.series;
    expect(first!.points.length + second!.points.length).toBeLessThanOrEqual(4000);
    expect(figure.series.flatMap(({ points }) => points).every(({ y }) => y <= 500)).toBe(true);
    expect(front).toMatchObject({ mark: 'front', points: [{ x: 2 }, { x: 3 }, { x: 4 }] });
    expect(figureSchema.parse(figure)).toEqual(figure);
  });

  it('curves: in the view that is chosen', () => {
    const series = [
      { label: 'dense', points: [{ at: 0.1, value: 2 }] },
      { label: 'wanda', points: [{ at: 0.1, value: Infinity }] },
    ];
    const figure = curveFigure(series, 'sparsity', 'difference', 'dense');
    expect(figure).toMatchObject({
      x: { format: 'share' },
      y: { scale: 'difference', label: 'against the best baseline' },
    });
    expect(figure.series.map(({ emphasis, points }) => [emphasis, points.length])).toEqual([
      ['reference', 1],
      [undefined, 0],
    ]);
    expect(figureSchema.parse(figure)).toEqual(figure);
  });

  it('trees: nodes with their parents', () => {
    const nodes = treeNodes({ expression: parsePrefix('mul(abs(W),sqrt(X))'), references: {} }, undefined);
    const figure = treeFigure('Syntax tree of wanda', nodes, 'down')!;
    expect(figure.nodes.map(({ label, parent }) => [label, parent])).toEqual([
      ['mul', null],
      ['abs', 0],
      ['W', 1],
      ['sqrt', 0],
      ['X', 3],
    ]);
    expect(figureSchema.parse(figure)).toEqual(figure);
    expect(treeFigure('', [], 'down')).toBeUndefined();
  });
});
