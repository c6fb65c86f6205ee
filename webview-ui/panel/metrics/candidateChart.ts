import { fitnessName } from '../common/fitnessWords.ts';
import { denseFitness, fitnessIn } from '../../../src/search/lifecycle/objective.ts';
import type { ChartDataset, Point } from 'chart.js';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import { fill, h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { paretoFront } from '../../../src/search/metrics/pareto.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { bestOf } from '../../../src/search/metrics/state.ts';
import type { MetricState } from '../../../src/search/metrics/state.ts';
import type { Figure } from '../../../src/figures/figureSchema.ts';
import { figureButton } from '../../shared/figureButton.ts';
import { scattered } from './scattered.ts';
import { candidateFigure } from './candidateFigure.ts';
import { baseOptions, countAxis, perplexityAxis } from '../common/charts.ts';
import { LiveChart } from '../common/liveChart.ts';
import { formulaOf } from './formulas.ts';
import type { PanelData } from '../common/panelData.ts';
import { perplexityScale } from '../common/perplexityScale.ts';
import { lineage, outcomeInShort, fitnessInShort, plural } from '../common/words.ts';

export interface CandidateChartEvents {
  readonly onSelect: (id: number) => void;
  readonly onInsert: (id: number) => void;
}

interface CandidatePoint extends Point {
  readonly candidate: MetricCandidate;
}

/** Generations in a band share colour and shape, so that neither has to be told from twenty others. */
const BANDS = 4;
/** All of them can be filled or hollow. */
const SHAPES = ['circle', 'triangle', 'rect', 'rectRot'] as const;

/** Every candidate as a point: fitness against size, with the best of each size joined. */
export class CandidateChart {
  readonly element: HTMLElement;
  private readonly canvas = h('canvas', { role: 'img' });
  private readonly legend = h('p', { class: 'legend' });
  private readonly note = h('p', { class: 'muted' });
  private readonly room = h('div', { class: 'canvas tall' }, this.canvas);
  private readonly empty = h('p', { class: 'emptyChart' }, 'A point for each candidate, as they are evaluated.');
  private readonly live = new LiveChart(this.canvas);
  private readonly save = figureButton('Every candidate', () => this.figure?.());
  private figure: (() => Figure) | undefined;

  constructor(events: CandidateChartEvents) {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Every candidate' },
      h('div', { class: 'title' }, h('h2', {}, 'Every candidate'), this.legend, this.save),
      this.room,
      this.empty,
      this.note,
    );
    this.canvas.addEventListener('click', (event) => {
      const id = this.candidateAt(event);
      if (id !== undefined) events.onSelect(id);
    });
    this.canvas.addEventListener('dblclick', (event) => {
      const id = this.candidateAt(event);
      if (id !== undefined) events.onInsert(id);
    });
  }

  render(data: PanelData, theme: Theme, selected: number | undefined): void {
    const { candidates, opening, baselines, byId } = data.search;
    const front = paretoFront(data.search);
    const best = bestOf(data.search);
    const values = candidates.flatMap((candidate) => fitnessOf(candidate) ?? []);
    const near = baselines.flatMap((baseline) => fitnessIn(baseline) ?? []);
    const lowest = (best && fitnessOf(best)) ?? denseFitness(opening);
    const references = [
      ...(lowest === undefined ? [] : [lowest]),
      ...near.filter((value) => value < 1.5 * (lowest ?? value)),
    ];
    const scale = perplexityScale(values, references, 0.5);
    const bands = bandsOf(candidates.at(-1)?.generation ?? 0);
    this.figure = () => candidateFigure(candidates, front, bands, scale, fitnessName(opening));
    const largest = candidates.reduce((size, candidate) => Math.max(size, candidate.size), 3);
    const datasets = [
      ...bands.flatMap((band, i) =>
        [true, false].map((isFull) => bandDataset(candidates, band, i, isFull, scale.max, theme)),
      ),
      frontDataset(
        front.map((candidate) => ({ x: candidate.size, y: fitnessOf(candidate)!, candidate })),
        theme,
      ),
      selectedDataset(byId.get(selected ?? -1), scale.max, theme),
    ];
    this.describe(data, bands, scale.above, front.length, theme);
    const scales = {
      x: { ...countAxis(theme, 'size (operations and operands)', 0, largest + 1), display: scale.max > 0 },
      y: perplexityAxis(theme, scale, fitnessName(opening)),
    };
    const options = baseOptions(theme);
    this.live.show(theme, datasets, scales, () => ({
      type: 'scatter',
      options: {
        ...options,
        layout: { padding: { right: 8, top: 8 } },
        interaction: { mode: 'nearest', intersect: true },
        plugins: {
          ...options.plugins,
          tooltip: {
            ...options.plugins?.tooltip,
            // Points of equal size and fitness lie on each other; one of them speaks for all.
            filter: (_item, index) => index === 0,
            callbacks: {
              title: (items) => (items[0] ? wrap(formulaOf((items[0].raw as CandidatePoint).candidate)) : ''),
              label: ({ raw }) => tooltipOf((raw as CandidatePoint).candidate, data.search),
            },
          },
        },
      },
    }));
  }

  get picture(): HTMLCanvasElement {
    return this.canvas;
  }

  private candidateAt(event: MouseEvent): number | undefined {
    const [item] = this.live.chart?.getElementsAtEventForMode(event, 'nearest', { intersect: true }, false) ?? [];
    if (!item) return undefined;
    return (this.live.chart?.data.datasets[item.datasetIndex]?.data[item.index] as CandidatePoint | undefined)
      ?.candidate.id;
  }

  private describe(data: PanelData, bands: readonly Band[], above: number, front: number, theme: Theme): void {
    const { candidates, invalid } = data.search.counts;
    const shown = candidates - invalid;
    fill(
      this.legend,
      shown > 0 ? 'generation' : undefined,
      ...(shown > 0 ? bands : []).map((band, i) => legendItem(band, SHAPES[i]!, bandColour(i, theme))),
    );
    const notes = [
      'hollow: not evaluated in full',
      'line: best of each size',
      ...(above > 0 ? [`${above} too high to show, at the upper edge`] : []),
      ...(invalid > 0 ? [`${invalid} invalid, not drawn`] : []),
    ];
    this.room.hidden = this.note.hidden = this.save.hidden = shown === 0;
    this.empty.hidden = shown > 0;
    fill(this.note, notes.join(' · '));
    this.canvas.setAttribute(
      'aria-label',
      `${plural(shown, 'candidate')} by size and ${fitnessName(data.search.opening)}; ${front} are the best of their size. The table below lists them all.`,
    );
  }
}

interface Band {
  readonly first: number;
  readonly last: number;
}

function bandsOf(last: number): Band[] {
  const length = Math.max(1, Math.ceil((last + 1) / BANDS));
  return Array.from({ length: Math.ceil((last + 1) / length) }, (_, i) => ({
    first: i * length,
    last: Math.min(last, (i + 1) * length - 1),
  }));
}

function bandColour(band: number, theme: Theme): string {
  // High-contrast themes give orange a blue; these four are told apart in all of them.
  return [theme.red, theme.yellow, theme.green, theme.blue][band]!;
}

/** Points of a band that look the same: what a chart has to look up point by point takes it ten times as long. */
function bandDataset(
  candidates: readonly MetricCandidate[],
  band: Band,
  index: number,
  isFull: boolean,
  top: number,
  theme: Theme,
): ChartDataset<'scatter'> {
  const colour = bandColour(index, theme);
  const data = candidates.flatMap((candidate): CandidatePoint[] => {
    const { outcome, generation } = candidate;
    if (outcome.kind === 'invalid' || generation < band.first || generation > band.last) return [];
    return (outcome.kind === 'full') === isFull ? [pointOf(candidate, fitnessOf(candidate)!, top)] : [];
  });
  return {
    data,
    pointStyle: SHAPES[index]!,
    // Points at the upper edge are drawn whole.
    clip: 8,
    pointRadius: candidates.length > 3000 ? 2 : 3.5,
    pointHoverRadius: 6,
    pointBorderColor: colour,
    pointBorderWidth: 1,
    pointBackgroundColor: isFull ? colour : 'transparent',
    pointHoverBackgroundColor: colour,
    pointHoverBorderColor: theme.foreground,
    order: isFull ? 2 : 3,
  };
}

function pointOf(candidate: MetricCandidate, fitness: number, top: number): CandidatePoint {
  return { x: scattered(candidate), y: Math.min(fitness, top), candidate };
}

function frontDataset(points: readonly CandidatePoint[], theme: Theme): ChartDataset<'scatter'> {
  return {
    data: [...points],
    showLine: true,
    stepped: 'before',
    borderColor: theme.foreground,
    borderWidth: 1.5,
    pointStyle: 'circle',
    pointRadius: 5,
    pointBackgroundColor: 'transparent',
    pointBorderColor: theme.foreground,
    pointBorderWidth: 1.5,
    order: 1,
  };
}

function selectedDataset(candidate: MetricCandidate | undefined, top: number, theme: Theme): ChartDataset<'scatter'> {
  const data =
    candidate && candidate.outcome.kind !== 'invalid' ? [pointOf(candidate, fitnessOf(candidate)!, top)] : [];
  return {
    data,
    pointStyle: 'circle',
    pointRadius: 9,
    pointBackgroundColor: 'transparent',
    pointBorderColor: theme.focus,
    pointBorderWidth: 2.5,
    order: 0,
  };
}

function legendItem({ first, last }: Band, shape: (typeof SHAPES)[number], colour: string): HTMLElement {
  const canvas = h('canvas', { width: 24, height: 24, class: 'swatch', 'aria-hidden': 'true' });
  const context = canvas.getContext('2d');
  if (context) drawShape(context, shape, colour);
  const label = first === last ? String(first + 1) : `${first + 1}–${last + 1}`;
  return h('span', {}, canvas, label);
}

function drawShape(context: CanvasRenderingContext2D, shape: (typeof SHAPES)[number], colour: string): void {
  context.translate(12, 12);
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  const corners = { triangle: [3, -90], rect: [4, 45], rectRot: [4, 0] } as const;
  if (shape === 'circle') context.arc(0, 0, 7, 0, 2 * Math.PI);
  else {
    const [count, turn] = corners[shape];
    for (let i = 0; i < count; i++) {
      const angle = ((turn + (i * 360) / count) * Math.PI) / 180;
      context.lineTo(8 * Math.cos(angle), 8 * Math.sin(angle));
    }
    context.closePath();
  }
  context.fill();
  context.stroke();
}

function tooltipOf(candidate: MetricCandidate, { byId, opening }: MetricState): string[] {
  const { id, generation, outcome, size } = candidate;
  const fitness = fitnessInShort(candidate, byId);
  return [
    `${fitness === '' ? '' : `${fitnessName(opening)} ${fitness} · `}${outcomeInShort(outcome)}`,
    `#${id} · size ${size} · generation ${generation + 1} · ${lineage(candidate)}`,
  ];
}

/** Lines of at most `width` characters, broken after commas and blanks. */
function wrap(text: string, width = 64): string[] {
  const lines = [''];
  for (const part of text.split(/(?<=[ ,(])/)) {
    if ((lines.at(-1)! + part).length > width && lines.at(-1) !== '') lines.push('  ');
    lines.push(lines.pop()! + part);
  }
  return lines;
}
