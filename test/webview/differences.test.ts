import { describe, expect, it } from 'vitest';
import { formatGap } from '../../src/experiment/format.ts';
import type { Curves } from '../../src/view/panelMessages.ts';
import { againstBaseline, hasBaseline } from '../../webview-ui/panel/metrics/curveViews.ts';
import { differenceScale, percentAt, placeOf } from '../../webview-ui/panel/common/differenceScale.ts';
import { contestScaleOf, outOfScale, wholeScaleOf } from '../../webview-ui/panel/common/lines.ts';
import type { Line } from '../../webview-ui/panel/common/lines.ts';
import { niceTicks } from '../../webview-ui/panel/common/perplexityScale.ts';
import type { PerplexityScale } from '../../webview-ui/panel/common/perplexityScale.ts';

const line = (style: Line['style'], label: string, ...values: number[]): Line => ({
  ...{ label, style },
  points: values.map((y, x) => ({ x, y })),
});

/** How much of the axis's height a difference takes. */
const share = ({ min, max }: PerplexityScale, a: number, b: number): number => Math.abs(a - b) / (max - min);

describe('the axis of the best by generation shows the differences that matter', () => {
  const dense = line('dense', 'dense', 2.178, 2.178);
  const poor = [
    line('mean', 'mean', 22.8, 22.9),
    line('median', 'median', 3.1, 2.92),
    line('worst', 'worst', 9e9, 1e10),
  ];
  it.each<[string, Line[], number, number]>([
    ['best and baseline a quarter of a percent apart', [line('baseline', 'pruner-zero', 2.452, 2.452)], 2.446, 2.452],
    [
      'a baseline that is far does not squeeze a near one',
      [line('baseline', 'wanda', 2.452), line('baseline', 'magnitude', 2.984)],
      2.446,
      2.452,
    ],
    ['what random search came to', [line('random', 'random search', 2.6, 2.47)], 2.446, 2.47],
    ['another run', [line('overlay', 'other', 2.5, 2.449)], 2.446, 2.449],
  ])('%s', (_, rivals, a, b) => {
    const lines = [dense, ...poor, ...rivals, line('best', 'best so far', 2.6, 2.4461, 2.446)];
    const scale = contestScaleOf(lines);
    // In a chart of 200 pixels 1/20 is ten of them.
    expect(share(scale, a, b)).toBeGreaterThan(1 / 20);
    expect(scale.min < a && b < scale.max).toBe(true);
    expect(outOfScale(lines, scale)).toMatch(
      /above the scale: mean 22.90, median 2.920, worst .*below the scale: dense 2.178/,
    );
  });

  it('what the best has gained lately is seen, however far the baselines are', () => {
    const scale = contestScaleOf([line('baseline', 'wanda', 170), line('best', 'best so far', 110, 101, 100.4, 100)]);
    expect(share(scale, 101, 100)).toBeGreaterThan(1 / 20);
  });

  it('a tie is not blown up to a difference', () => {
    const scale = contestScaleOf([line('baseline', 'wanda', 100.001), line('best', 'best so far', 100, 100)]);
    expect(share(scale, 100.001, 100)).toBeLessThan(1 / 20);
  });

  it('the best stays in sight where a baseline is far better', () => {
    const scale = contestScaleOf([line('baseline', 'wanda', 100), line('best', 'best so far', 171, 170.5, 170)]);
    expect(scale.min < 170 && 170 < scale.max).toBe(true);
  });

  it('before there is a best there is still a scale', () => {
    expect(contestScaleOf([line('baseline', 'wanda', 150), line('best', 'best so far')]).max).toBeGreaterThan(150);
    expect(wholeScaleOf([])).toMatchObject({ min: 0, max: 0 });
  });

  it('all of it is logarithmic', () => {
    const scale = wholeScaleOf([dense, ...poor]);
    expect(scale.kind).toBe('logarithmic');
    expect(scale.min).toBeLessThan(2.178);
    expect(scale.max).toBeGreaterThan(1e10);
    expect(niceTicks(scale).length).toBeGreaterThan(4);
  });
});

describe('curves are drawn against the best baseline of each place', () => {
  const curves = {
    ...{ over: 'sparsity', state: 'done', share: 1, detail: '', densePerplexity: 100 },
    lines: [
      {
        label: 'best (#7)',
        points: [
          { at: 0.1, perplexity: 100.1 },
          { at: 0.7, perplexity: 300 },
        ],
        errors: [],
      },
      {
        label: 'wanda',
        points: [
          { at: 0.1, perplexity: 100 },
          { at: 0.7, perplexity: 400 },
        ],
        errors: [],
      },
      {
        label: 'magnitude',
        points: [
          { at: 0.1, perplexity: 101 },
          { at: 0.5, perplexity: 180 },
        ],
        errors: [],
      },
    ],
  } as Curves;
  const baselines = new Set(['wanda', 'magnitude']);

  it('in percent', () => {
    const [best, wanda, magnitude] = againstBaseline(curves, baselines).map(({ points }) =>
      points.map(({ at, value }) => `${at}: ${value.toFixed(2)}`),
    );
    expect(best).toEqual(['0.1: 0.10', '0.7: -25.00']);
    expect(wanda).toEqual(['0.1: 0.00', '0.7: 0.00']);
    expect(magnitude).toEqual(['0.1: 1.00', '0.5: 0.00']);
  });

  it('where there is no baseline there is nothing to draw against', () => {
    expect(hasBaseline(curves, baselines)).toBe(true);
    expect(hasBaseline(curves, new Set(['taylor']))).toBe(false);
    expect(againstBaseline(curves, new Set(['taylor'])).every(({ points }) => points.length === 0)).toBe(true);
  });

  it('on an axis where a tenth of a percent is seen beside a hundred', () => {
    const { min, max, ticks } = differenceScale([0.1, 100, -25]);
    expect((placeOf(0.1) - placeOf(0)) / (max - min)).toBeGreaterThan(0.015);
    expect(ticks).toContain(0);
    expect(ticks.length).toBeGreaterThan(5);
    expect(ticks.every((percent) => placeOf(percent) >= min && placeOf(percent) <= max)).toBe(true);
    expect(percentAt(placeOf(-12.5))).toBeCloseTo(-12.5, 9);
  });

  it.each([
    [100.024, 100, '+0.024 %'],
    [99.5, 100, '−0.5 %'],
    [119, 100, '+19 %'],
    [102.34, 100, '+2.3 %'],
  ])('%d against %d is %s', (value, reference, text) => {
    expect(formatGap(value, reference)).toBe(text);
  });
});
