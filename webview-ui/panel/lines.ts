import { formatPerplexity } from '../../src/experiment/format.ts';
import { perplexityScale } from './perplexityScale.ts';
import type { PerplexityScale } from './perplexityScale.ts';

export interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly style: LineStyle;
}

export type LineStyle =
  'best' | 'median' | 'mean' | 'worst' | 'random' | 'dense' | 'baseline' | 'second' | 'third' | 'overlay' | 'raw';

/** Of the first baseline, the second, and all others. */
export function baselineStyle(place: number): LineStyle {
  return (['baseline', 'second'] as const)[place] ?? 'third';
}

const BASELINES: readonly LineStyle[] = ['baseline', 'second', 'third'];

/** Times the lowest value of importance: what lies above does not stretch the scale. */
const FAR = 1.2;

/** From dense to what competes with the best: lines that lie far above leave at the top, and their labels say so. */
export function scaleOf(lines: readonly Line[]): PerplexityScale {
  const valuesOf = (...styles: readonly LineStyle[]): number[] =>
    lines.filter(({ style }) => styles.includes(style)).flatMap(({ points }) => points.map(({ y }) => y));
  const important = valuesOf('best', 'random', 'overlay', 'dense');
  const lowest = Math.min(...important, ...valuesOf(...BASELINES));
  const others = valuesOf(...BASELINES, 'mean', 'median').filter((value) => value < FAR * lowest);
  return perplexityScale([], [...important, ...others]);
}

/** From the best to what it is compared with. Structural pruning is far from dense, which then is told below the chart. */
export function closeScaleOf(lines: readonly Line[]): PerplexityScale {
  const valuesOf = (...styles: readonly LineStyle[]): number[] =>
    lines.filter(({ style }) => styles.includes(style)).flatMap(({ points }) => points.map(({ y }) => y));
  const important = valuesOf('best', 'median', 'overlay', ...BASELINES);
  const dense = valuesOf('dense');
  const [lowest, highest] = [Math.min(...important, ...valuesOf('mean')), Math.max(...important)];
  const near = dense.filter((value) => important.length === 0 || lowest - value < highest - lowest);
  return perplexityScale([], [...important, ...near, ...valuesOf('mean').filter((value) => value < FAR * lowest)]);
}

/** Where the lines went that are not in sight. */
export function outOfScale(lines: readonly Line[], { min, max }: PerplexityScale): string {
  const named = (isOut: (y: number) => boolean): string =>
    lines
      .flatMap(({ label, points }) => {
        const last = points.at(-1);
        return last && isOut(last.y) ? [`${label} ${formatPerplexity(last.y)}`] : [];
      })
      .join(', ');
  const [above, below] = [named((y) => y > max), named((y) => y < min)];
  return [
    ...(above === '' ? [] : [`above the scale: ${above}`]),
    ...(below === '' ? [] : [`below the scale: ${below}`]),
  ].join(' · ');
}

/** A step to end an axis at, `share` of what is through beyond it: of two digits, not beyond all that are planned. */
export function lastStep(steps: number, planned: number, share: number): number {
  const wanted = Math.max(10, steps * (1 + share));
  const unit = 10 ** Math.floor(Math.log10(wanted) - 1);
  return Math.min(Math.max(planned, 10), Math.ceil(wanted / unit / 5) * 5 * unit);
}

/** Points that are read out, at most. */
const MOST_SPOKEN = 12;

/** A line in words: some of its points, the last one for certain; null is what was not finite. */
export function spokenPoints(
  points: readonly { readonly x: number; readonly y: number | null }[],
  format: (value: number) => string,
): string {
  const every = Math.ceil(points.length / MOST_SPOKEN);
  return points
    .filter((_, i) => (points.length - 1 - i) % every === 0)
    .map(({ x, y }) => `After ${x}: ${y === null ? 'not finite' : format(y)}.`)
    .join(' ');
}

/** A value that is the same from `first` to `last`. */
export function across(y: number, first: number, last: number): Line['points'] {
  return [
    { x: first, y },
    { x: last, y },
  ];
}
