import { svg } from '../shared/dom.ts';

/**
 * Bars of equal width, the highest as high as the picture. Heights go with the square root of the counts: scores have long tails, and what
 * one value in a thousand does matters. A bin with anything in it can be seen.
 */
export function histogram(counts: readonly number[], { width, height }: { width: number; height: number }): SVGElement {
  const highest = Math.max(1, ...counts);
  const step = width / counts.length;
  const path = counts
    .map((count, bin) => {
      if (count === 0) return '';
      const size = Math.max(1, Math.sqrt(count / highest) * height);
      return `M${round(bin * step)} ${height}v${round(-size)}h${round(Math.max(1, step - 1))}v${round(size)}z`;
    })
    .join('');
  return svg(
    'svg',
    { class: 'histogram', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    svg('path', { d: path }),
    svg('line', { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5 }),
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
