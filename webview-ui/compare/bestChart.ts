import { scaleLinear, scaleLog } from 'd3-scale';
import { formatPerplexity, formatSeconds } from '../../src/experiment/format.ts';
import type { ComparisonChart } from '../../src/view/comparisonMessages.ts';
import { fill, h, say, svg } from '../shared/dom.ts';
import { heights, valueAt } from '../../src/view/comparisonLines.ts';
import type { ChartLine } from '../../src/view/comparisonLines.ts';
import { spreadApart } from './spreadApart.ts';
import type { RunStyle } from './runStyles.ts';

export interface BestChartView {
  readonly lines: readonly ChartLine[];
  readonly chart: ComparisonChart;
  readonly styleOf: (folder: string) => RunStyle;
  /** The run that is pointed at, in the table or here. */
  readonly pointed: string | undefined;
}

/** Pixels. */
const HEIGHT = 300;
const LEFT = 56;
const TOP = 8;
const BOTTOM = 36;
const LINE_HEIGHT = 15;
const LABELS = 0.26;
const WIDEST_LABELS = 240;
const CHARACTER = 6.4;

const ALONG: Readonly<Record<ComparisonChart['along'], string>> = {
  evaluations: 'evaluations of the fitness text',
  seconds: 'time that was worked',
  steps: 'generations or steps',
};
const MEASURE: Readonly<Record<ComparisonChart['measure'], string>> = {
  fitness: 'best fitness so far',
  dense: 'best / dense',
  baseline: 'best / baseline',
};

/** The best so far of runs, drawn as steps; what each line is stands at its end, and a crosshair reads all of them at one place. */
export class BestChart {
  readonly element: HTMLElement;
  private readonly room = h('div', { class: 'lines' });
  private readonly readout = h('div', { class: 'readout', role: 'status' });
  private readonly onPoint: (folder: string | undefined) => void;
  private view: BestChartView | undefined;
  /** Where the crosshair stands, on the axis. */
  private at: number | undefined;
  private cross: { readonly line: SVGLineElement; readonly placeOf: (x: number) => number } | undefined;

  constructor(onPoint: (folder: string | undefined) => void) {
    this.onPoint = onPoint;
    this.element = h('div', { class: 'bestChart' }, this.room, this.readout);
    new ResizeObserver(() => {
      this.draw();
    }).observe(this.room);
  }

  show(view: BestChartView): void {
    this.view = view;
    this.draw();
  }

  private draw(): void {
    const { view } = this;
    const width = this.room.clientWidth;
    if (!view || width === 0) return;
    const range = heights(view.lines, view.chart.whole);
    if (!range) {
      fill(this.room, h('p', { class: 'emptyChart' }, 'None of these runs has found anything yet.'));
      fill(this.readout);
      return;
    }
    const labels = Math.min(WIDEST_LABELS, width * LABELS);
    const right = width - labels;
    const last = Math.max(...view.lines.map(({ end }) => end));
    const x = scaleLinear([0, last || 1], [LEFT, right]);
    const y = (view.chart.whole && range[0] > 0 ? scaleLog() : scaleLinear())
      .domain(range)
      .range([HEIGHT - BOTTOM, TOP]);
    const frame = svg('g', { class: 'axes' });
    for (const tick of yTicks(y, range)) {
      const at = y(tick);
      frame.append(
        svg('line', { class: 'grid', x1: LEFT, x2: right, y1: at, y2: at }),
        svg('text', { x: LEFT - 6, y: at, 'text-anchor': 'end', 'dominant-baseline': 'middle' }, tickText(tick, range)),
      );
    }
    const most = Math.max(2, Math.floor((right - LEFT) / 90));
    const format = view.chart.along === 'seconds' ? timeText : String;
    for (const tick of view.chart.along === 'seconds' ? timeTicks(last, most) : x.ticks(most)) {
      frame.append(svg('text', { x: x(tick), y: HEIGHT - BOTTOM + 14, 'text-anchor': 'middle' }, format(tick)));
    }
    frame.append(
      svg('text', { x: (LEFT + right) / 2, y: HEIGHT - 4, 'text-anchor': 'middle' }, ALONG[view.chart.along]),
      svg(
        'text',
        { transform: `translate(10 ${(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)`, 'text-anchor': 'middle' },
        MEASURE[view.chart.measure],
      ),
    );
    const clip = svg(
      'clipPath',
      { id: 'plot' },
      svg('rect', { x: LEFT, y: 0, width: right - LEFT + 3, height: HEIGHT - BOTTOM }),
    );
    const plot = svg('g', { 'clip-path': 'url(#plot)' });
    for (const line of view.lines) plot.append(...this.pathsOf(line, view, x, y));
    const cross = svg('line', { class: 'cross', y1: TOP, y2: HEIGHT - BOTTOM, visibility: 'hidden' });
    const drawing = svg(
      'svg',
      {
        ...{ width, height: HEIGHT, role: 'img', tabindex: 0, 'aria-label': spoken(view) },
        onpointermove: (event: PointerEvent) => {
          const box = drawing.getBoundingClientRect();
          const place = event.clientX - box.left;
          this.point(place > right ? undefined : Math.min(last, Math.max(0, x.invert(place))));
        },
        onpointerleave: () => {
          this.point(undefined);
          this.onPoint(undefined);
        },
        onkeydown: (event: KeyboardEvent) => {
          const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          this.point(Math.min(last, Math.max(0, (this.at ?? last) + (step * last) / 40)));
        },
      },
      svg('defs', {}, clip),
      frame,
      plot,
      this.labelsOf(view, y, right, labels),
      cross,
    );
    this.cross = { line: cross, placeOf: x };
    fill(this.room, drawing);
    this.point(this.at);
  }

  private pathsOf(
    line: ChartLine,
    { styleOf, pointed }: BestChartView,
    x: (value: number) => number,
    y: (value: number) => number,
  ): readonly SVGElement[] {
    const path = stepPath(line, x, (point) => y(point.y));
    if (line.kind === 'baseline') return [svg('path', { class: 'line baseline', d: path })];
    const [folder = ''] = line.folders;
    const { colour, dash } = styleOf(folder);
    const isFar = pointed !== undefined && !line.folders.includes(pointed);
    const mark = `${colour}${isFar ? ' far' : ''}`;
    const events = {
      onpointerenter: () => {
        this.onPoint(folder);
      },
    };
    const hasSpread = line.points.some(({ spread }) => spread !== undefined);
    return [
      ...(hasSpread ? [svg('path', { class: `band ${mark}`, d: bandPath(line, x, y) })] : []),
      svg('path', { class: `line ${mark}`, d: path, 'stroke-dasharray': dash }),
      // Easier to hit than the line itself.
      svg('path', { class: 'hit', d: path, ...events }),
    ];
  }

  private labelsOf(view: BestChartView, y: (value: number) => number, right: number, room: number): SVGGElement {
    const ends = view.lines.map((line) => y(line.points.at(-1)!.y));
    const bounded = ends.map((end) => Math.min(HEIGHT - BOTTOM, Math.max(TOP, end)));
    const places = spreadApart(bounded, LINE_HEIGHT, TOP, HEIGHT - BOTTOM);
    const most = Math.floor((room - 34) / CHARACTER);
    return svg(
      'g',
      { class: 'labels' },
      ...view.lines.map((line, i) => {
        const [folder] = line.folders;
        const style = folder === undefined ? undefined : view.styleOf(folder);
        const way = ends[i]! < TOP - 1 ? ' ↑' : ends[i]! > HEIGHT - BOTTOM + 1 ? ' ↓' : '';
        const text = `${cut(line.label, most)}${way}`;
        const isFar = view.pointed !== undefined && !line.folders.includes(view.pointed);
        const at = places[i]!;
        const short = { x1: right + 6, x2: right + 24, y1: at, y2: at };
        return svg(
          'g',
          {
            class: `${style?.colour ?? 'baseline'}${isFar ? ' far' : ''}`,
            onpointerenter: () => {
              this.onPoint(folder);
            },
          },
          svg('title', {}, line.label),
          svg('line', { class: `line${style ? '' : ' baseline'}`, ...short, 'stroke-dasharray': style?.dash ?? '3 3' }),
          svg('text', { x: right + 28, y: at, 'dominant-baseline': 'middle' }, text),
        );
      }),
    );
  }

  /** Moves the crosshair, and says what stands there: the best first. */
  private point(at: number | undefined): void {
    this.at = at;
    const { cross, view } = this;
    if (!cross || !view) return;
    cross.line.setAttribute('visibility', at === undefined ? 'hidden' : 'visible');
    if (at === undefined) {
      say(this.readout, 'Point at the chart, or focus it and use the arrow keys, to read all lines at one place.');
      return;
    }
    const place = cross.placeOf(at);
    cross.line.setAttribute('x1', String(place));
    cross.line.setAttribute('x2', String(place));
    const { along } = view.chart;
    const where =
      along === 'seconds'
        ? formatSeconds(at)
        : along === 'steps'
          ? `step ${Math.round(at)}`
          : `${Math.round(at)} evaluations`;
    const values = view.lines
      .filter(({ kind }) => kind !== 'baseline')
      .flatMap((line) => {
        const value = valueAt(line, at);
        return value ? [{ line, value }] : [];
      })
      .sort((a, b) => a.value.y - b.value.y);
    const texts = values.map(
      ({ line, value: { y, spread } }) =>
        `${line.label} ${numberText(y)}${spread === undefined ? '' : ` ± ${Number(spread.toPrecision(2))}`}`,
    );
    say(this.readout, `${where}: ${texts.length === 0 ? 'nothing yet' : texts.join(' · ')}`);
  }
}

/** Its beginning and its end, which is what tells runs of one search apart. */
function cut(label: string, most: number): string {
  if (label.length <= most) return label;
  const end = Math.min(6, most >> 1);
  return `${label.slice(0, most - end - 1)}…${label.slice(-end)}`;
}

function stepPath(
  { points, end }: ChartLine,
  x: (value: number) => number,
  heightOf: (point: ChartLine['points'][number]) => number,
): string {
  const [first, ...rest] = points;
  const steps = rest.map((point) => `H${x(point.x).toFixed(1)}V${heightOf(point).toFixed(1)}`);
  return `M${x(first!.x).toFixed(1)},${heightOf(first!).toFixed(1)}${steps.join('')}H${x(end).toFixed(1)}`;
}

/** One standard deviation to either side. */
function bandPath(line: ChartLine, x: (value: number) => number, y: (value: number) => number): string {
  const edge = (sign: number): string => stepPath(line, x, (point) => y(point.y + sign * (point.spread ?? 0)));
  const back = line.points.map((point, i) => ({ point, to: line.points[i + 1]?.x ?? line.end })).toReversed();
  const lower = back.map(({ point, to }) => {
    const height = y(point.y - (point.spread ?? 0)).toFixed(1);
    return `L${x(to).toFixed(1)},${height}L${x(point.x).toFixed(1)},${height}`;
  });
  return `${edge(1)}${lower.join('')}Z`;
}

function yTicks(
  scale: { readonly ticks: (count: number) => number[] },
  [low, high]: readonly [number, number],
): readonly number[] {
  const ticks = scale.ticks(6);
  // A logarithmic axis of less than a decade has ticks at its ends alone.
  return ticks.length >= 2 && ticks.length <= 12 ? ticks : scaleLinear([low, high], [0, 1]).ticks(5);
}

/** Seconds from tick to tick: what people count time in. */
const TIME_STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200];
const DAY = 86_400;

function timeTicks(last: number, most: number): readonly number[] {
  const step = TIME_STEPS.find((size) => last / size <= most) ?? DAY * Math.ceil(last / DAY / most);
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
}

function timeText(seconds: number): string {
  if (seconds === 0) return '0';
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Number((seconds / 60).toFixed(1))} min` : `${Number((seconds / 3600).toFixed(1))} h`;
}

function tickText(value: number, [low, high]: readonly [number, number]): string {
  if (value >= 1e6) return formatPerplexity(value);
  const decimals = Math.min(6, Math.max(0, 1 - Math.floor(Math.log10((high - low) / 5 || 1))));
  return String(Number(value.toFixed(decimals)));
}

function numberText(value: number): string {
  return formatPerplexity(value, 5);
}

/** The chart in words. */
function spoken({ lines, chart }: BestChartView): string {
  const told = lines.map((line) => `${line.label}: ${numberText(line.points.at(-1)!.y)}`);
  return `${MEASURE[chart.measure]} along ${ALONG[chart.along]}. ${told.join('; ')}.`;
}
