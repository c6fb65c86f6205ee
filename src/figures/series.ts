import { area, curveLinear, curveStepAfter, line } from 'd3-shape';
import type { AxisScale } from './axisScale.ts';
import type { Series, SeriesPoint } from './figureSchema.ts';
import { stroked } from './frame.ts';
import { EDGE, markersAt } from './legend.ts';
import type { Look } from './looks.ts';
import { markerPath } from './markerPath.ts';
import { PathRecorder } from './scene.ts';
import type { Box, Mark, Place } from './scene.ts';

/** A series with its look, and the plot that it is drawn into. */
export interface DrawnSeries {
  readonly series: Series;
  readonly look: Look;
}

export interface Plot {
  readonly plot: Box;
  readonly x: AxisScale;
  readonly y: AxisScale;
}

/** Of so many points each has a mark; more of them would hide the line. Where there are thousands, they are small squares. */
const MOST_MARKED = 25;
const MANY = 1000;
const BAR_SHARE = 0.72;
/** Points: of a line's width, at the edges of a plot. */
const BLEED = 1;

/** From what lies behind to what stands out: bands, bars, what is faint, references, all others, what the figure is about. */
export function drawSeries(all: readonly DrawnSeries[], plot: Plot): Mark[] {
  const ordered = [...all].sort((a, b) => depthOf(a.series) - depthOf(b.series));
  const bars = all.filter(({ series }) => series.mark === 'bars');
  return [
    ...ordered.flatMap((each) => (isLine(each.series) ? bandOf(each, plot) : [])),
    ...bars.flatMap((each, i) => drawBars(each, i, bars, plot)),
    ...ordered.flatMap((each) => {
      if (each.series.mark === 'bars') return [];
      return isLine(each.series) ? drawLine(each, plot) : drawPoints(each, plot);
    }),
  ];
}

export function isLine({ mark }: Pick<Series, 'mark'>): boolean {
  return mark === 'line' || mark === 'step' || mark === 'front';
}

function depthOf({ mark, emphasis = 'normal' }: Series): number {
  return mark === 'front' ? 4 : ['faint', 'reference', 'normal', 'main'].indexOf(emphasis);
}

function placer({ plot, x, y }: Plot): (at: number, value: number) => Place {
  return (at, value) => ({ x: plot.x + x.at(at) * plot.width, y: plot.y + (1 - y.at(value)) * plot.height });
}

function clipOf({ plot: { x, y, width, height } }: Plot): Box {
  return { x: x - BLEED, y: y - BLEED, width: width + 2 * BLEED, height: height + 2 * BLEED };
}

function drawLine({ series, look }: DrawnSeries, plot: Plot): Mark[] {
  const place = placer(plot);
  const recorder = new PathRecorder();
  line<SeriesPoint>()
    .x((point) => place(point.x, point.y).x)
    .y((point) => place(point.x, point.y).y)
    .curve(series.mark === 'line' ? curveLinear : curveStepAfter)
    // It draws with no more than these of a canvas's methods.
    .context(recorder as never)([...series.points]);
  const path: Mark = { kind: 'path', path: recorder.steps, stroke: look.stroke, clip: clipOf(plot) };
  const isThin = series.emphasis === 'reference' || series.emphasis === 'faint';
  const isMarked =
    series.mark === 'front' || (series.mark === 'line' && !isThin && series.points.length <= MOST_MARKED);
  // A line of one point has no length.
  if (!isMarked && series.points.length > 1) return [path];
  const at = seen(series, plot).map((point) => place(point.x, point.y));
  return [path, markersAt(at, look.marker, look, series.hollow === true)];
}

/** The spread of seeds. */
function bandOf({ series, look }: DrawnSeries, plot: Plot): Mark[] {
  const spread = series.points.filter(({ low, high }) => low !== undefined && high !== undefined);
  if (spread.length < 2) return [];
  const place = placer(plot);
  const recorder = new PathRecorder();
  area<SeriesPoint>()
    .x((point) => place(point.x, point.y).x)
    .y0((point) => place(point.x, point.low!).y)
    .y1((point) => place(point.x, point.high!).y)
    .curve(series.mark === 'line' ? curveLinear : curveStepAfter)
    .context(recorder as never)(spread);
  return [{ kind: 'path', path: recorder.steps, fill: { colour: look.area, opacity: 0.2 }, clip: clipOf(plot) }];
}

function drawPoints({ series, look }: DrawnSeries, plot: Plot): Mark[] {
  const place = placer(plot);
  const points = seen(series, plot);
  const at = points.map((point) => place(point.x, point.y));
  const { colour } = look.stroke;
  if (at.length > MANY) return [{ kind: 'markers', path: markerPath('square', 0.6), at, fill: { colour } }];
  const whiskers = points.flatMap((point) => whisker(point, point.x, plot, colour));
  return [...whiskers, markersAt(at, look.marker, look, series.hollow === true)];
}

/** Beside each other where several series have bars. */
function drawBars({ series, look }: DrawnSeries, index: number, all: readonly DrawnSeries[], plot: Plot): Mark[] {
  const place = placer(plot);
  const step = stepOf(all.map((each) => each.series));
  const width = (BAR_SHARE * step) / all.length;
  const ground = Math.min(Math.max(0, plot.y.min), plot.y.max);
  return series.points.flatMap((point): Mark[] => {
    const left = point.x - (BAR_SHARE * step) / 2 + index * width;
    const [from, to] = [place(left, ground), place(left + width, point.y)];
    const box = { x: from.x, y: Math.min(from.y, to.y), width: to.x - from.x, height: Math.abs(to.y - from.y) };
    const bar: Mark = { kind: 'rect', ...box, fill: { colour: look.area }, stroke: EDGE, clip: clipOf(plot) };
    return [bar, ...whisker(point, left + width / 2, plot, '#000000')];
  });
}

/** From a bar to the next one. */
export function stepOf(series: readonly Series[]): number {
  const places = series.filter(({ mark }) => mark === 'bars').flatMap(({ points }) => points.map(({ x }) => x));
  const sorted = [...new Set(places)].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((x, i) => x - sorted[i]!);
  return steps.length === 0 ? 1 : steps.reduce((least, each) => Math.min(least, each));
}

function whisker({ low, high }: SeriesPoint, x: number, plot: Plot, colour: string): Mark[] {
  if (low === undefined || high === undefined) return [];
  const place = placer(plot);
  const within = (value: number): number => Math.min(plot.y.max, Math.max(plot.y.min, value));
  const [from, to] = [place(x, within(low)), place(x, within(high))];
  const stroke = { colour, width: 0.6 };
  const cap = ({ x: middle, y }: Place): Mark =>
    stroked(
      [
        [middle - 1.5, y],
        [middle + 1.5, y],
      ],
      stroke,
    );
  return [
    stroked(
      [
        [from.x, from.y],
        [to.x, to.y],
      ],
      stroke,
    ),
    cap(from),
    cap(to),
  ];
}

/** Marks stand inside of the plot, or not at all. */
function seen({ points }: Series, { x, y }: Plot): SeriesPoint[] {
  const inside = (at: number): boolean => at >= -1e-6 && at <= 1 + 1e-6;
  return points.filter((point) => inside(x.at(point.x)) && inside(y.at(point.y)));
}
