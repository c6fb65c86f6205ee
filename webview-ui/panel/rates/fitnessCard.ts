import { formatPerplexity } from '../../../src/experiment/format.ts';
import { bestConfiguration } from '../../../src/search/rateState.ts';
import type { RateState } from '../../../src/search/rateState.ts';
import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { LineChart } from '../lineChart.ts';
import { across, closeScaleOf, outOfScale } from '../lines.ts';
import type { Line } from '../lines.ts';
import type { RunLine } from '../../../src/extension/search/panelMessages.ts';
import { against } from '../words.ts';

/** Perplexity by generation: the best so far, the mean, and what uniform and OWL come to. */
export class FitnessCard {
  readonly element: HTMLElement;
  private readonly chart = new LineChart();
  private readonly room = h('div', { class: 'canvas' }, this.chart.canvas);
  private readonly readout = h('p', { class: 'readout' });
  private readonly note = h('p', { class: 'muted' });

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Best perplexity by generation' },
      h('div', { class: 'title' }, h('h2', {}, 'Best by generation'), this.readout),
      this.room,
      this.note,
    );
  }

  get picture(): HTMLCanvasElement {
    return this.chart.canvas;
  }

  render(rates: RateState, planned: number, overlay: readonly RunLine[], theme: Theme): void {
    const shown = rates.iterations.length;
    const last = Math.max(2, Math.min(planned, Math.ceil(shown * 1.25) + 1));
    const lines = linesOf(rates, overlay, last);
    const scale = closeScaleOf(lines);
    const readout = readoutOf(rates);
    fill(this.readout, readout);
    this.room.hidden = shown === 0;
    const isEmpty = 'Drawn once the first configurations are evaluated.';
    fill(this.note, shown === 0 ? isEmpty : outOfScale(lines, scale));
    this.chart.canvas.setAttribute('aria-label', shown === 0 ? isEmpty : `Generation ${shown - 1}: ${readout}.`);
    this.chart.show(theme, { lines, scale, along: 'generation', first: 0, last });
  }
}

function linesOf({ iterations, opening, baselines }: RateState, overlay: readonly RunLine[], last: number): Line[] {
  const series = (value: (event: (typeof iterations)[number]) => number | null | undefined): Line['points'] =>
    iterations.flatMap((event) => {
      const y = value(event);
      return y === null || y === undefined ? [] : [{ x: event.generation, y }];
    });
  return [
    { label: 'mean', points: series(({ mean }) => mean), style: 'mean' },
    ...(opening ? [{ label: 'dense', points: across(opening.densePerplexity, 0, last), style: 'dense' } as const] : []),
    ...baselines.flatMap(({ name, perplexity }, i): Line[] =>
      perplexity === undefined
        ? []
        : [{ label: name, points: across(perplexity, 0, last), style: i === 0 ? 'baseline' : 'second' }],
    ),
    ...overlay.map(({ label, points }): Line => ({
      label,
      points: points.map(({ generation, perplexity }) => ({ x: generation, y: perplexity })),
      style: 'overlay',
    })),
    { label: 'best so far', points: series(({ bestSoFar }) => bestSoFar?.perplexity), style: 'best' },
  ];
}

function readoutOf(rates: RateState): string {
  const best = bestConfiguration(rates);
  if (!best || best.outcome.kind === 'invalid') return '';
  return [
    `best ${against(best.outcome.perplexity, 'dense', rates.opening?.densePerplexity)}`,
    ...rates.baselines.flatMap(({ name, perplexity }) =>
      perplexity === undefined ? [] : [`${name} ${formatPerplexity(perplexity)}`],
    ),
  ].join(' · ');
}
