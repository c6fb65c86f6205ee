import type { ChartDataset } from 'chart.js';
import { formatPerplexity } from '../../src/experiment/format.ts';
import type { CurveAxis, CurveMetric, Curves } from '../../src/extension/search/panelMessages.ts';
import { fill, h } from '../shared/dom.ts';
import type { Theme } from '../shared/theme.ts';
import { baseOptions, Chart, countAxis, perplexityAxis } from './charts.ts';
import { formulaOf } from './formulas.ts';
import { lineLabels } from './lineLabels.ts';
import { bestCandidate } from './panelData.ts';
import type { PanelData } from './panelData.ts';
import { perplexityScale } from './perplexityScale.ts';

export interface CurvesCardEvents {
  readonly onAsk: (over: CurveAxis, metrics: readonly CurveMetric[]) => void;
  readonly onCancel: () => void;
}

const AXES: readonly (readonly [CurveAxis, string])[] = [
  ['sparsity', 'sparsity'],
  ['samples', 'calibration samples'],
];

/** Perplexity of chosen metrics against sparsity, or against the number of calibration samples: evaluated when asked for. */
export class CurvesCard {
  readonly element: HTMLElement;
  private readonly events: CurvesCardEvents;
  private readonly axis = h(
    'select',
    { 'aria-label': 'Perplexity against' },
    ...AXES.map(([value, text]) => h('option', { value }, text)),
  );
  private readonly choices = h('div', { class: 'choices', role: 'group', 'aria-label': 'Metrics' });
  private readonly button = h('button', { type: 'button' }, 'Evaluate');
  private readonly status = h('p', { class: 'muted', role: 'status' });
  private readonly canvas = h('canvas', {
    role: 'img',
    'aria-label': 'Perplexity curves; the table below has the numbers',
  });
  private readonly room = h('div', { class: 'canvas', hidden: true }, this.canvas);
  private readonly numbers = h('div', { class: 'scroll' });
  private readonly unchecked = new Set<string>();
  private metrics: readonly CurveMetric[] = [];
  private chart: Chart | undefined;
  private theme: Theme | undefined;
  private shown = '';
  private drawn: Curves | undefined;
  private isRunning = false;

  constructor(events: CurvesCardEvents) {
    this.events = events;
    this.button.addEventListener('click', () => {
      if (this.isRunning) events.onCancel();
      else this.ask();
    });
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Perplexity curves' },
      h('div', { class: 'title' }, h('h2', {}, 'Perplexity against'), this.axis, this.button),
      this.choices,
      this.status,
      this.room,
      this.numbers,
    );
  }

  render(data: PanelData, theme: Theme, selected: number | undefined): void {
    this.offer(data, selected);
    const { curves } = data;
    this.isRunning = curves?.state === 'running';
    fill(this.button, this.isRunning ? 'Cancel' : 'Evaluate');
    this.button.disabled = !this.isRunning && this.metrics.length === 0;
    this.axis.disabled = this.isRunning;
    fill(this.status, statusOf(curves));
    if (curves && (curves !== this.drawn || theme !== this.theme)) this.draw(curves, theme);
    this.drawn = curves;
    this.theme = theme;
  }

  private ask(): void {
    const chosen = this.metrics.filter(({ label }) => !this.unchecked.has(label));
    if (chosen.length > 0) this.events.onAsk(this.axis.value as CurveAxis, chosen);
  }

  /** The best, the selected one, and the baselines. */
  private offer(data: PanelData, selected: number | undefined): void {
    const best = bestCandidate(data);
    const chosen = data.search.byId.get(selected ?? -1);
    this.metrics = [
      ...(best ? [{ label: `best (#${best.id})`, expression: best.expression }] : []),
      ...(chosen && chosen.id !== best?.id && chosen.outcome.kind !== 'invalid'
        ? [{ label: `#${chosen.id}`, expression: chosen.expression }]
        : []),
      ...data.search.baselines.flatMap(({ metric, expression, perplexity }) =>
        perplexity === undefined ? [] : [{ label: metric, expression }],
      ),
    ];
    const shown = JSON.stringify(this.metrics);
    if (shown === this.shown) return;
    this.shown = shown;
    fill(
      this.choices,
      ...this.metrics.map(({ label, expression }) => {
        const box = h('input', { type: 'checkbox', checked: !this.unchecked.has(label) });
        box.addEventListener('change', () => {
          if (box.checked) this.unchecked.delete(label);
          else this.unchecked.add(label);
        });
        return h('label', { title: formulaOf({ expression }) }, box, label);
      }),
    );
  }

  private draw(curves: Curves, theme: Theme): void {
    const { lines, over, densePerplexity } = curves;
    this.room.hidden = lines.every(({ points }) => points.length === 0);
    this.chart?.destroy();
    this.chart = undefined;
    if (this.room.hidden) {
      fill(this.numbers);
      return;
    }
    const values = lines.flatMap(({ points }) => points.map(({ perplexity }) => perplexity));
    const places = [...new Set(lines.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => a - b);
    const scale = perplexityScale(
      values,
      [...(densePerplexity === null ? [] : [densePerplexity]), Math.min(...values)],
      0.95,
    );
    const at = (place: number): number => (over === 'sparsity' ? place * 100 : place);
    const [first, last] = [at(places[0]!), at(places.at(-1)!)];
    const options = baseOptions(theme);
    this.chart = new Chart(this.canvas, {
      type: 'line',
      data: {
        datasets: [
          ...lines.map((line, i) =>
            lineDataset(
              line.label,
              line.points.map((point) => ({ x: at(point.at), y: point.perplexity })),
              i,
              theme,
            ),
          ),
          ...(densePerplexity === null
            ? []
            : [
                lineDataset(
                  'dense',
                  [
                    { x: first, y: densePerplexity },
                    { x: last, y: densePerplexity },
                  ],
                  -1,
                  theme,
                ),
              ]),
        ],
      },
      options: {
        ...options,
        interaction: { mode: 'nearest', intersect: false, axis: 'x' },
        scales: {
          x: countAxis(
            theme,
            over === 'sparsity' ? 'sparsity, %' : 'calibration samples',
            first,
            last === first ? first + 1 : last,
          ),
          y: perplexityAxis(theme, scale),
        },
      },
      plugins: [lineLabels(theme.foreground, theme.font, theme.fontSize - 2)],
    });
    fill(this.numbers, table(curves, places));
  }
}

function lineDataset(
  label: string,
  data: { x: number; y: number }[],
  index: number,
  theme: Theme,
): ChartDataset<'line'> {
  const colours = [theme.blue, theme.yellow, theme.green, theme.purple, theme.red, theme.orange];
  const dashes = [[], [8, 3, 2, 3], [6, 4], [2, 3], [10, 3], [4, 2]];
  const colour = index < 0 ? theme.foreground : colours[index % colours.length]!;
  return {
    label,
    data,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: index < 0 ? 1 : 2,
    borderDash: index < 0 ? [] : dashes[index % dashes.length]!,
    pointRadius: index < 0 ? 0 : 3,
    // The first and the last mark are whole ones.
    clip: { left: 6, right: 6, top: 0, bottom: 0 },
  };
}

function table({ over, lines }: Curves, places: readonly number[]): HTMLElement {
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
        ...places.map((at) =>
          h(
            'th',
            { scope: 'col', class: 'number' },
            over === 'sparsity' ? `${Number((at * 100).toFixed(1))} %` : String(at),
          ),
        ),
      ),
    ),
    h(
      'tbody',
      {},
      ...lines.map(({ label, points, errors }) =>
        h(
          'tr',
          { title: errors.length > 0 ? errors.join('\n') : undefined },
          h('th', { scope: 'row' }, label),
          ...places.map((at) => {
            const point = points.find((each) => each.at === at);
            return h('td', { class: 'number' }, point ? formatPerplexity(point.perplexity) : '–');
          }),
        ),
      ),
    ),
  );
}

function statusOf(curves: Curves | undefined): string {
  if (!curves)
    return 'Evaluates the chosen metrics again at several points, on the fitness text, calibrated as the plan says.';
  switch (curves.state) {
    case 'running':
      return `${curves.detail} · ${Math.round(100 * curves.share)} %`;
    case 'done':
      return curves.detail;
    case 'cancelled':
      return 'Cancelled.';
    case 'failed':
      return `Failed: ${curves.detail}`;
  }
}
