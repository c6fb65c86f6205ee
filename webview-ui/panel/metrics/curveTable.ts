import { formatGap, formatPerplexity, perplexityDigits } from '../../../src/experiment/format.ts';
import type { Curves } from '../../../src/view/panelMessages.ts';
import { h } from '../../shared/dom.ts';
import type { CurveSeries } from './curveViews.ts';

/** The numbers of the curves. @param against differences in percent to be shown in the perplexities' place */
export function curveTable({ over, lines }: Curves, against: readonly CurveSeries[] | undefined): HTMLElement {
  const places = placesOf(lines);
  const digits = new Map(
    places.map((at) => [at, perplexityDigits(lines.flatMap((line) => perplexityAt(line, at) ?? []))]),
  );
  return h(
    'table',
    {},
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col' }, over === 'sparsity' ? 'sparsity' : 'samples'),
        ...places.map((at) => h('th', { scope: 'col', class: 'number' }, placeText(over, at))),
      ),
    ),
    h(
      'tbody',
      {},
      ...lines.map((line, i) =>
        h(
          'tr',
          { title: line.errors.length > 0 ? line.errors.join('\n') : undefined },
          h('th', { scope: 'row' }, line.label),
          ...places.map((at) => {
            const perplexity = perplexityAt(line, at);
            if (perplexity === undefined) return h('td', { class: 'number' }, '–');
            const text = formatPerplexity(perplexity, digits.get(at));
            const difference = against?.[i]?.points.find((point) => point.at === at)?.value;
            return difference === undefined
              ? h('td', { class: 'number' }, text)
              : h('td', { class: 'number', title: `perplexity ${text}` }, percentText(difference));
          }),
        ),
      ),
    ),
  );
}

/** Where the lines have points, in order. */
export function placesOf(lines: Curves['lines']): readonly number[] {
  return [...new Set(lines.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => a - b);
}

function perplexityAt({ points }: Curves['lines'][number], at: number): number | undefined {
  return points.find((point) => point.at === at)?.perplexity;
}

function placeText(over: Curves['over'], at: number): string {
  return over === 'sparsity' ? `${Number((at * 100).toFixed(1))} %` : String(at);
}

function percentText(percent: number): string {
  return percent === 0 ? '0' : formatGap(1 + percent / 100, 1);
}
