import type { ChartDataset } from 'chart.js';
import { formatPerplexity } from '../../src/experiment/format.ts';
import { fill, h } from '../shared/dom.ts';
import type { Theme } from '../shared/theme.ts';
import { bestOf } from './bestOf.ts';
import { baseOptions, Chart, countAxis, perplexityAxis } from './charts.ts';
import { lineLabels } from './lineLabels.ts';
import type { PanelData } from './panelData.ts';
import { perplexityScale } from './perplexityScale.ts';
import type { PerplexityScale } from './perplexityScale.ts';
import { against, METHODS } from './words.ts';

interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly style: LineStyle;
}

type LineStyle = 'best' | 'generation' | 'mean' | 'worst' | 'random' | 'dense' | 'baseline' | 'overlay';

/** Best, mean and worst by generation, with what they are to be measured by. */
export class GenerationChart {
  readonly element: HTMLElement;
  private readonly canvas = h('canvas', { role: 'img' });
  private readonly readout = h('p', { class: 'readout' });
  private readonly actions: HTMLElement;
  private chart: Chart | undefined;
  private theme: Theme | undefined;

  /** @param actions what stands beside the title */
  constructor(actions: HTMLElement) {
    this.actions = actions;
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Best perplexity by generation' },
      h('div', { class: 'title' }, h('h2', {}, 'Best by generation'), this.readout, this.actions),
      h('div', { class: 'canvas' }, this.canvas),
    );
  }

  render(data: PanelData, theme: Theme): void {
    const lines = linesOf(data);
    const scale = scaleOf(data, lines);
    const generations = Math.max(data.run?.plan.search.generations ?? 1, data.generations.length);
    fill(this.readout, readoutOf(data));
    this.canvas.setAttribute('aria-label', spoken(data));
    if (this.chart && this.theme !== theme) {
      this.chart.destroy();
      this.chart = undefined;
    }
    this.theme = theme;
    const shown = data.generations.length;
    const lastX = Math.max(2, Math.min(generations, Math.ceil(shown * 1.25) + 2));
    const datasets = lines.map((line) => datasetOf(line, theme, lastX));
    const scales = {
      x: countAxis(theme, 'generation', 1, lastX),
      y: perplexityAxis(theme, scale),
    };
    if (this.chart) {
      this.chart.data.datasets = datasets;
      this.chart.options.scales = scales;
      this.chart.update('none');
      return;
    }
    const options = baseOptions(theme);
    this.chart = new Chart(this.canvas, {
      type: 'line',
      data: { datasets },
      options: {
        ...options,
        scales,
        layout: { padding: { right: 118, top: 4 } },
        interaction: { mode: 'x', intersect: false, axis: 'x' },
        plugins: {
          ...options.plugins,
          tooltip: {
            ...options.plugins?.tooltip,
            filter: ({ dataset }) => !['dense', 'baseline'].includes((dataset as { kind?: string }).kind ?? ''),
            callbacks: {
              title: (items) => (items[0] ? `generation ${items[0].parsed.x}` : ''),
              label: ({ dataset, parsed }) =>
                `${(dataset as { long?: string }).long ?? ''}: ${formatPerplexity(parsed.y ?? Number.NaN)}`,
            },
          },
        },
      },
      plugins: [lineLabels(theme.foreground, theme.font, theme.fontSize - 2)],
    });
  }

  get picture(): HTMLCanvasElement {
    return this.canvas;
  }
}

function linesOf(data: PanelData): Line[] {
  const { generations, opened, baselines, random, overlay, run } = data;
  const series = (value: (event: (typeof generations)[number]) => number | null | undefined): Line['points'] =>
    generations.flatMap((event) => {
      const y = value(event);
      return y === null || y === undefined ? [] : [{ x: event.generation + 1, y }];
    });
  const planned = Math.max(2, run?.plan.search.generations ?? 2, generations.length);
  const across = (y: number): Line['points'] => [
    { x: 1, y },
    { x: planned, y },
  ];
  const runLine = ({ points }: { points: readonly { generation: number; perplexity: number }[] }): Line['points'] =>
    points.map(({ generation, perplexity }) => ({ x: generation + 1, y: perplexity }));
  return [
    { label: 'worst', points: series(({ worst }) => worst), style: 'worst' },
    { label: 'mean', points: series(({ mean }) => mean), style: 'mean' },
    ...(opened ? [{ label: 'dense', points: across(opened.densePerplexity), style: 'dense' } as const] : []),
    ...baselines.flatMap(({ metric, perplexity }): Line[] =>
      perplexity === undefined ? [] : [{ label: metric, points: across(perplexity), style: 'baseline' }],
    ),
    ...overlay.map((line): Line => ({ label: line.label, points: runLine(line), style: 'overlay' })),
    ...(random.line && random.line.points.length > 0
      ? [{ label: 'random search', points: runLine(random.line), style: 'random' } as const]
      : []),
    { label: 'best so far', points: series(({ bestSoFar }) => bestSoFar?.perplexity), style: 'best' },
  ];
}

/** Whether a line or its label matters more than the others' room: best, random search and what they are measured by. */
function scaleOf({ generations, candidates }: PanelData, lines: readonly Line[]): PerplexityScale {
  const important = lines.filter(({ style }) => style !== 'worst' && style !== 'mean' && style !== 'baseline');
  const references = important.flatMap(({ points }) => points.map(({ y }) => y));
  const baselines = lines.filter(({ style }) => style === 'baseline').map(({ points }) => points[0]!.y);
  // A baseline far off (magnitude, often) must not press the rest together.
  const near = baselines.filter((value) => value <= Math.min(...references, ...baselines) * 2);
  const means = generations.flatMap(({ mean }) => (mean === null ? [] : [mean]));
  const bulk = candidates.length === 0 ? [] : means;
  return perplexityScale(bulk, [...references, ...near], 0.5);
}

function datasetOf({ label, points, style }: Line, theme: Theme, lastX: number): ChartDataset<'line'> {
  const styles: Record<LineStyle, { colour: string; width: number; dash: number[] }> = {
    best: { colour: theme.blue, width: 2.5, dash: [] },
    generation: { colour: theme.blue, width: 1, dash: [] },
    mean: { colour: theme.green, width: 1.5, dash: [] },
    worst: { colour: theme.muted, width: 1, dash: [1, 3] },
    random: { colour: theme.purple, width: 2, dash: [6, 4] },
    dense: { colour: theme.foreground, width: 1, dash: [] },
    baseline: { colour: theme.orange, width: 1, dash: [8, 3, 2, 3] },
    overlay: { colour: theme.yellow, width: 2, dash: [3, 3] },
  };
  const { colour, width, dash } = styles[style];
  const isMarked = style === 'best' || style === 'mean' || style === 'random';
  return {
    type: 'line',
    label,
    long: label,
    kind: style,
    data: points.filter(({ x }) => x <= lastX || points.length === 2).map((point) => ({ ...point })),
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: width,
    borderDash: dash,
    pointStyle: style === 'mean' ? 'triangle' : style === 'random' ? 'rectRot' : 'circle',
    pointRadius: isMarked && points.length <= 40 ? 2.5 : 0,
    pointHitRadius: 6,
    stepped: style === 'best' || style === 'random' || style === 'overlay' ? 'before' : false,
  } as unknown as ChartDataset<'line'>;
}

function readoutOf(data: PanelData): string {
  const best = bestOf(data);
  const dense = data.opened?.densePerplexity;
  if (!best) return '';
  const wanda = data.baselines.find(({ metric }) => /wanda/i.test(metric)) ?? data.baselines[0];
  const random = data.random.line?.points.at(-1)?.perplexity;
  return [
    `best ${against(best.perplexity, 'dense', dense)}`,
    ...(wanda?.perplexity === undefined ? [] : [`${wanda.metric} ${formatPerplexity(wanda.perplexity)}`]),
    ...(random === undefined ? [] : [`random search ${formatPerplexity(random)}`]),
  ].join(' · ');
}

function spoken(data: PanelData): string {
  const { run, generations } = data;
  if (generations.length === 0) return 'No generation is through yet.';
  const method = run ? METHODS[run.plan.search.method] : 'The search';
  return `${method} after ${generations.length} generations: ${readoutOf(data)}.`;
}
