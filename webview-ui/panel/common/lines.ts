import { formatPerplexity } from '../../../src/experiment/format.ts';
import { perplexityScale } from './perplexityScale.ts';
import type { PerplexityScale } from './perplexityScale.ts';

export interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly style: LineStyle;
}

export type LineStyle =
  | 'best'
  | 'median'
  | 'mean'
  | 'worst'
  | 'random'
  | 'dense'
  | 'baseline'
  | 'second'
  | 'third'
  | 'overlay'
  | 'raw'
  | 'smooth'
  | 'mark';

/** Of the first baseline, the second, and all others. */
export function baselineStyle(place: number): LineStyle {
  return (['baseline', 'second'] as const)[place] ?? 'third';
}

const BASELINES: readonly LineStyle[] = ['baseline', 'second', 'third'];
/** What the best has to beat. */
const RIVALS: readonly LineStyle[] = [...BASELINES, 'random', 'overlay'];

/** Times the lowest value of importance: what lies above does not stretch the scale. */
const FAR = 1.2;
/** A difference that matters is at least this share of an axis's height, and this share of the perplexity. */
const SEEN = 1 / 16;
const MATTERS = 0.0005;
/** An axis reaches this share of the perplexity to either side, however little there is to tell apart. */
const LEAST_REACH = 0.01;

/**
 * Where the best stands among its rivals, and what it has gained lately: no difference between these is a pixel. What lies
 * further away (dense, a poor baseline, most of a population) leaves the chart, and is told below it.
 */
export function contestScaleOf(lines: readonly Line[]): PerplexityScale {
  const best = lines.find(({ style }) => style === 'best')?.points ?? [];
  const now = best.at(-1)?.y;
  if (now === undefined) return closeScaleOf(lines);
  const rivals = lines.filter(({ style }) => RIVALS.includes(style));
  const earlier = best[Math.floor((best.length - 1) / 2)]!.y;
  const differences = [earlier, ...rivals.flatMap(({ points }) => points.at(-1)?.y ?? [])]
    .map((value) => Math.abs(value - now))
    .filter((difference) => difference >= MATTERS * now);
  const smallest = differences.length > 0 ? Math.min(...differences) : 0;
  const reach = Math.max(LEAST_REACH * now, smallest / SEEN);
  const values = [...best, ...rivals.flatMap(({ points }) => points)].map(({ y }) => y);
  return perplexityScale(
    [],
    values.filter((value) => Math.abs(value - now) <= reach),
  );
}

/** Everything that there is a line of; logarithmic, since a mean may be a hundred times the best. */
export function wholeScaleOf(lines: readonly Line[]): PerplexityScale {
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y)).filter(Number.isFinite);
  if (values.length === 0) return perplexityScale([], []);
  return { kind: 'logarithmic', min: Math.min(...values) / 1.05, max: Math.max(...values) * 1.1, above: 0 };
}

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
