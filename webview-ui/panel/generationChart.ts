import type { ChartDataset } from 'chart.js';
import { formatPerplexity } from '../../src/experiment/format.ts';
import type { Candidate } from '../../src/experiment/searchEvents.ts';
import { fill, h } from '../shared/dom.ts';
import type { Theme } from '../shared/theme.ts';
import { baseOptions, countAxis, perplexityAxis } from './charts.ts';
import { LiveChart } from './liveChart.ts';
import { lineLabels } from './lineLabels.ts';
import { bestCandidate } from './panelData.ts';
import type { PanelData } from './panelData.ts';
import { perplexityOf } from '../../src/search/searchState.ts';
import { perplexityScale } from './perplexityScale.ts';
import type { PerplexityScale } from './perplexityScale.ts';
import { against, METHODS } from './words.ts';

interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly style: LineStyle;
}

/** Times the lowest perplexity of importance: what lies above does not stretch the scale. */
const FAR = 1.2;

type LineStyle = 'best' | 'median' | 'mean' | 'worst' | 'random' | 'dense' | 'baseline' | 'overlay';

/** Best, mean and worst by generation, with what they are to be measured by. */
export class GenerationChart {
  readonly element: HTMLElement;
  private readonly canvas = h('canvas', { role: 'img' });
  private readonly readout = h('p', { class: 'readout' });
  private readonly note = h('p', { class: 'muted' });
  private readonly actions: HTMLElement;
  private readonly live = new LiveChart(this.canvas);

  /** @param actions what stands beside the title */
  constructor(actions: HTMLElement) {
    this.actions = actions;
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Best perplexity by generation' },
      h('div', { class: 'title' }, h('h2', {}, 'Best by generation'), this.readout, this.actions),
      h('div', { class: 'canvas' }, this.canvas),
      this.note,
    );
  }

  render(data: PanelData, theme: Theme): void {
    const lines = linesOf(data);
    const scale = scaleOf(lines);
    const shown = data.search.generations.length;
    const generations = Math.max(data.run?.plan.search.generations ?? 1, shown);
    fill(this.readout, readoutOf(data));
    this.canvas.setAttribute('aria-label', spoken(data));
    fill(this.note, noteOf(lines, scale, shown));
    const lastX = Math.max(2, Math.min(generations, Math.ceil(shown * 1.25) + 2));
    const datasets = lines.map((line) => datasetOf(line, theme, lastX, scale.max));
    const scales = {
      x: { ...countAxis(theme, 'generation', 1, lastX), display: scale.max > 0 },
      y: perplexityAxis(theme, scale),
    };
    const options = baseOptions(theme);
    this.live.show(theme, datasets, scales, () => ({
      type: 'line',
      options: {
        ...options,
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
    }));
  }

  get picture(): HTMLCanvasElement {
    return this.canvas;
  }
}

function linesOf(data: PanelData): Line[] {
  const { random, overlay, run } = data;
  const { generations, opening, baselines } = data.search;
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
    { label: 'median', points: mediansOf(data.search.candidates, generations.length), style: 'median' },
    ...(opening ? [{ label: 'dense', points: across(opening.densePerplexity), style: 'dense' } as const] : []),
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

/** From dense to what competes with the best: lines that lie far above leave at the top, and their labels say so. */
function scaleOf(lines: readonly Line[]): PerplexityScale {
  const valuesOf = (...styles: readonly LineStyle[]): number[] =>
    lines.filter(({ style }) => styles.includes(style)).flatMap(({ points }) => points.map(({ y }) => y));
  const important = valuesOf('best', 'random', 'overlay', 'dense');
  const lowest = Math.min(...important, ...valuesOf('baseline'));
  const others = valuesOf('baseline', 'mean', 'median').filter((value) => value < FAR * lowest);
  return perplexityScale([], [...important, ...others]);
}

/** A few terrible candidates decide a mean; the middle one says how the generation as a whole is doing. */
function mediansOf(candidates: readonly Candidate[], generations: number): Line['points'] {
  const values = Array.from({ length: generations }, (): number[] => []);
  for (const candidate of candidates) {
    const perplexity = perplexityOf(candidate);
    if (perplexity !== undefined) values[candidate.generation]?.push(perplexity);
  }
  return values.flatMap((all, generation) => {
    const middle = all.sort((a, b) => a - b)[Math.floor((all.length - 1) / 2)];
    return middle === undefined ? [] : [{ x: generation + 1, y: middle }];
  });
}

function datasetOf({ label, points, style }: Line, theme: Theme, lastX: number, top: number): ChartDataset<'line'> {
  const styles: Record<LineStyle, { colour: string; width: number; dash: number[] }> = {
    best: { colour: theme.blue, width: 2.5, dash: [] },
    median: { colour: theme.green, width: 1.5, dash: [] },
    mean: { colour: theme.green, width: 1, dash: [4, 3] },
    worst: { colour: theme.muted, width: 1, dash: [1, 3] },
    random: { colour: theme.purple, width: 2, dash: [6, 4] },
    dense: { colour: theme.foreground, width: 1, dash: [] },
    baseline: { colour: theme.yellow, width: 1, dash: [8, 3, 2, 3] },
    overlay: { colour: theme.red, width: 2, dash: [3, 3] },
  };
  const { colour, width, dash } = styles[style];
  const isMarked = style === 'best' || style === 'median' || style === 'random';
  return {
    type: 'line',
    // Of a line that has left the chart at the top, the note below says where it is.
    label: (points.at(-1)?.y ?? 0) > top ? '' : label,
    long: label,
    kind: style,
    data: points.filter(({ x }) => x <= lastX || points.length === 2).map((point) => ({ ...point })),
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: width,
    borderDash: dash,
    pointStyle: style === 'median' ? 'triangle' : style === 'random' ? 'rectRot' : 'circle',
    pointRadius: isMarked && points.length <= 40 ? 2.5 : 0,
    pointHitRadius: 6,
    stepped: style === 'best' || style === 'random' || style === 'overlay' ? 'before' : false,
  } as unknown as ChartDataset<'line'>;
}

/** Where the lines went that are not in sight. */
function noteOf(lines: readonly Line[], scale: PerplexityScale, generations: number): string {
  if (generations === 0) return 'Drawn once the first generation is through.';
  const above = lines.flatMap(({ label, points }) => {
    const last = points.at(-1);
    return last && last.y > scale.max ? [`${label} ${formatPerplexity(last.y)}`] : [];
  });
  return above.length === 0 ? '' : `above the scale: ${above.join(', ')}`;
}

function readoutOf(data: PanelData): string {
  const { opening, baselines } = data.search;
  const best = bestCandidate(data);
  const perplexity = best && perplexityOf(best);
  if (perplexity === undefined) return '';
  const wanda = baselines.find(({ metric }) => /wanda/i.test(metric)) ?? baselines[0];
  const random = data.random.line?.points.at(-1)?.perplexity;
  return [
    `best ${against(perplexity, 'dense', opening?.densePerplexity)}`,
    ...(wanda?.perplexity === undefined ? [] : [`${wanda.metric} ${formatPerplexity(wanda.perplexity)}`]),
    ...(random === undefined ? [] : [`random search ${formatPerplexity(random)}`]),
  ].join(' · ');
}

function spoken(data: PanelData): string {
  const { generations } = data.search;
  if (generations.length === 0) return 'No generation is through yet.';
  const method = data.run ? METHODS[data.run.plan.search.method] : 'The search';
  return `${method} after ${generations.length} generations: ${readoutOf(data)}.`;
}
