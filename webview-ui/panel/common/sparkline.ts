import { formatShare } from '../../../src/experiment/format.ts';
import { svg } from '../../shared/dom.ts';

const WIDTH = 120;
const HEIGHT = 18;

/** The rates of the blocks, as a line as high as the cell of a table; a screen reader is told the numbers. */
export function sparkline(rates: readonly number[], top: number): SVGElement {
  // Of a single block a line as well.
  const ends = rates.length === 1 ? [...rates, ...rates] : rates;
  const step = WIDTH / Math.max(1, ends.length - 1);
  const y = (rate: number): number => HEIGHT - 2 - (HEIGHT - 4) * Math.min(1, rate / Math.max(1e-9, top));
  const points = ends.map((rate, i) => `${(i * step).toFixed(1)},${y(rate).toFixed(1)}`).join(' ');
  return svg(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      width: WIDTH,
      height: HEIGHT,
      role: 'img',
      'aria-label': rates.map((rate) => formatShare(rate)).join(', '),
    },
    svg('polyline', { points }),
  );
}
