import type { ChartDataset } from 'chart.js';
import { formatGap, formatPerplexity } from '../../../src/experiment/format.ts';
import type { CurveAxis, CurveMetric, Curves } from '../../../src/view/panelMessages.ts';
import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import type { Figure } from '../../../src/figures/figureSchema.ts';
import { figureButton } from '../../shared/figureButton.ts';
import { curveFigure } from './curveFigure.ts';
import { baseOptions, countAxis, differenceAxis, perplexityAxis } from '../common/charts.ts';
import { curveTable, placesOf } from './curveTable.ts';
import { againstBaseline, asPerplexities, hasBaseline } from './curveViews.ts';
import type { CurveSeries, CurveView } from './curveViews.ts';
import { differenceScale, percentAt, placeOf } from '../common/differenceScale.ts';
import { formulaOf } from './formulas.ts';
import { LiveChart } from '../common/liveChart.ts';
import { lineLabels } from '../common/lineLabels.ts';
import { bestCandidate } from '../common/panelData.ts';
import type { PanelData } from '../common/panelData.ts';
import { perplexityScale } from '../common/perplexityScale.ts';

export interface CurvesCardEvents {
  readonly onAsk: (over: CurveAxis, metrics: readonly CurveMetric[]) => void;
  readonly onCancel: () => void;
}

const AXES: readonly (readonly [CurveAxis, string])[] = [
  ['sparsity', 'sparsity'],
  ['samples', 'calibration samples'],
];

/** The first one is what shows differences. */
const VIEWS: readonly (readonly [CurveView, string])[] = [
  ['baseline', 'against the best baseline'],
  ['perplexity', 'as perplexity'],
  ['logarithmic', 'as perplexity, logarithmic'],
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
  private readonly view = h(
    'select',
    { 'aria-label': 'Shown as', hidden: true },
    ...VIEWS.map(([value, text]) => h('option', { value }, text)),
  );
  private readonly save = figureButton('Perplexity against', () => this.figure);
  private figure: Figure | undefined;
  private readonly numbers = h('div', { class: 'scroll' });
  private readonly unchecked = new Set<string>();
  private metrics: readonly CurveMetric[] = [];
  private readonly live = new LiveChart(this.canvas);
  /** A place of the vertical axis in words. */
  private text: (value: number) => string = formatPerplexity;
  private theme: Theme | undefined;
  private shown = '';
  private drawn: Curves | undefined;
  private baselines: ReadonlySet<string> = new Set();
  private isRunning = false;

  constructor(events: CurvesCardEvents) {
    this.events = events;
    this.button.addEventListener('click', () => {
      if (this.isRunning) events.onCancel();
      else this.ask();
    });
    this.view.addEventListener('change', () => {
      this.redraw();
    });
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Perplexity curves' },
      h('div', { class: 'title' }, h('h2', {}, 'Perplexity against'), this.axis, this.button, this.view, this.save),
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
    const isNew = curves !== this.drawn || theme !== this.theme;
    this.drawn = curves;
    this.theme = theme;
    this.baselines = new Set(data.search.baselines.map(({ name }) => name));
    if (isNew) this.redraw();
  }

  private redraw(): void {
    if (this.drawn && this.theme) this.draw(this.drawn, this.baselines, this.theme);
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
      ...data.search.baselines.flatMap(({ name: metric, expression, error }) =>
        error !== undefined ? [] : [{ label: metric, expression }],
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

  private draw(curves: Curves, baselines: ReadonlySet<string>, theme: Theme): void {
    const { lines, over } = curves;
    this.room.hidden = lines.every(({ points }) => points.length === 0);
    this.view.hidden = this.save.hidden = this.room.hidden;
    if (this.room.hidden) {
      fill(this.numbers);
      return;
    }
    const canCompare = hasBaseline(curves, baselines);
    this.view.options[0]!.disabled = !canCompare;
    if (!canCompare && this.view.value === 'baseline') this.view.value = 'perplexity';
    const against = this.view.value === 'baseline' ? againstBaseline(curves, baselines) : undefined;
    const places = placesOf(lines);
    const at = (place: number): number => (over === 'sparsity' ? place * 100 : place);
    const [first, last] = [at(places[0]!), at(places.at(-1)!)];
    const options = baseOptions(theme);
    const { datasets, axis } = this.datasetsOf(curves, against, [places[0]!, places.at(-1)!], theme);
    this.figure = curveFigure(
      datasets,
      over,
      against ? 'difference' : this.view.value === 'logarithmic' ? 'log' : 'linear',
      DENSE,
    );
    this.text = (value) =>
      against ? `${formatGap(1 + percentAt(value) / 100, 1)} against the best baseline` : formatPerplexity(value);
    const scales = {
      x: countAxis(
        theme,
        over === 'sparsity' ? 'sparsity, %' : 'calibration samples',
        first,
        last === first ? first + 1 : last,
      ),
      y: axis,
    };
    const drawn = datasets.map(({ label, points }, i) =>
      lineDataset(
        label,
        points.map((point) => ({ x: at(point.at), y: against ? placeOf(point.value) : point.value })),
        label === DENSE ? -1 : i,
        theme,
      ),
    );
    this.live.show(theme, drawn, scales, () => ({
      type: 'line',
      options: {
        ...options,
        interaction: { mode: 'nearest', intersect: false, axis: 'x' },
        plugins: {
          ...options.plugins,
          tooltip: {
            ...options.plugins?.tooltip,
            callbacks: {
              label: ({ dataset, parsed }) => `${dataset.label ?? ''}: ${this.text(parsed.y ?? Number.NaN)}`,
            },
          },
        },
      },
      plugins: [lineLabels(theme.foreground, theme.font, theme.fontSize - 2)],
    }));
    fill(this.numbers, curveTable(curves, against));
  }

  /** What is drawn in the chosen view, and its vertical axis. */
  private datasetsOf(
    curves: Curves,
    against: readonly CurveSeries[] | undefined,
    [first, last]: readonly [number, number],
    theme: Theme,
  ): { datasets: readonly CurveSeries[]; axis: ReturnType<typeof perplexityAxis> } {
    if (against) {
      const scale = differenceScale(against.flatMap(({ points }) => points.map(({ value }) => value)));
      return { datasets: against, axis: differenceAxis(theme, scale, 'against the best baseline') };
    }
    const { densePerplexity } = curves;
    const lines = asPerplexities(curves);
    const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
    const references = [...(densePerplexity === null ? [] : [densePerplexity]), Math.min(...values)];
    const scale = perplexityScale(values, references, 0.95);
    const dense = densePerplexity === null ? [] : [first, last].map((at) => ({ at, value: densePerplexity }));
    return {
      datasets: dense.length === 0 ? lines : [...lines, { label: DENSE, points: dense }],
      axis: perplexityAxis(theme, this.view.value === 'logarithmic' ? { ...scale, kind: 'logarithmic' } : scale),
    };
  }
}

const DENSE = 'dense';

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
