import { axisScale } from './axisScale.ts';
import type { AxisScale } from './axisScale.ts';
import type { ChartFigure, Series } from './figureSchema.ts';
import { drawFrame, edges, roomBelow, roomLeft, textMark } from './frame.ts';
import { drawLegend, swatch, SWATCH } from './legend.ts';
import { ASCENT, fitText, LINE, textWidth } from './lettering.ts';
import { looksOf } from './looks.ts';
import type { PrintStyle } from './printStyle.ts';
import { POINTS_PER_MILLIMETRE } from './scene.ts';
import type { Box, Mark, Scene } from './scene.ts';
import type { DrawnSeries } from './series.ts';
import { drawSeries, isLine, stepOf } from './series.ts';
import { spreadApart } from './spreadApart.ts';

/** Height to width of a plot in a column, and across a page. */
const RATIO = { column: 0.62, page: 0.4 };
/** Millimetres: what is wider is laid out like a page. */
const WIDE = 120;
/** Points between a label at a line's end and the plot; share of the width that labels get, at most. */
const BEFORE = 4;
const MOST_LABELS = 0.42;
const MOST_TICKS = 10;

/** Lines, points, bars and bands over two axes. */
export function layOutChart(figure: ChartFigure, style: PrintStyle): Scene {
  const { fontSize: size } = style;
  const width = style.width * POINTS_PER_MILLIMETRE;
  const looks = looksOf(
    figure.series.map(({ emphasis }) => emphasis ?? 'normal'),
    style,
  );
  const items = figure.series.map((series, i) => ({ series, look: looks[i]! }));
  const ratio = style.width > WIDE ? RATIO.page : RATIO.column;
  const wanted = style.height === undefined ? undefined : style.height * POINTS_PER_MILLIMETRE;
  const bare = wanted ?? width * ratio;
  const turned = turnedCategories(figure.x, width, style);
  const below = roomBelow(figure.x.label, style, turned);
  const isDirect = figure.legend === 'direct' && hasRoomForLabels(figure.series, bare - below, size);
  const legend = figure.legend === 'none' || isDirect ? NO_LEGEND : drawLegend(items, width, style);
  // What is written upwards takes nothing from the plot.
  const height = wanted ?? bare + legend.height + below - roomBelow(figure.x.label, style);

  const top = legend.height + size * ASCENT * 0.6;
  const plotHeight = height - top - below;
  const y = axisScale(figure.y, verticalValues(figure), Math.max(3, Math.floor(plotHeight / (2.2 * size))));
  const left = roomLeft(y, figure.y.label, style);
  const labels = isDirect ? labelRoom(figure.series, width, style) : 0;
  const { x, right } = fitHorizontal(figure, width - left - labels, labels > 0, style);
  const plot: Box = { x: left, y: top, width: width - left - labels - right, height: plotHeight };
  const frame = drawFrame(
    { plot, x, y, xLabel: figure.x.label, yLabel: figure.y.label, isTurned: turned.length > 0 },
    style,
  );
  const series = drawSeries(items, { plot, x, y });
  const names = isDirect ? directLabels(items, plot, y, labels - BEFORE, style) : [];
  return { width, height, marks: [...frame.below, ...series, ...frame.above, ...legend.marks, ...names] };
}

/** Categories that have no room beside each other are written upwards. */
function turnedCategories(
  { categories = [] }: ChartFigure['x'],
  width: number,
  { fontSize, serif }: PrintStyle,
): readonly string[] {
  const widest = Math.max(0, ...categories.map((text) => textWidth(text, fontSize, serif)));
  return categories.length * (widest + fontSize) > CATEGORY_SHARE * width ? categories : [];
}

/** Of a chart's width that its plot has at least. */
const CATEGORY_SHARE = 0.75;

const NO_LEGEND = { marks: [] as Mark[], height: 0 };

/** Names at the ends of lines need lines, and not more of them than there is height for. */
function hasRoomForLabels(series: readonly Series[], height: number, size: number): boolean {
  return series.every(isLine) && series.length * size * LINE <= height;
}

function labelRoom(series: readonly Series[], width: number, { fontSize, serif }: PrintStyle): number {
  const widest = Math.max(...series.map(({ name }) => textWidth(name, fontSize, serif)));
  return Math.min(MOST_LABELS * width, BEFORE + SWATCH + 3 + widest);
}

function verticalValues({ series, y }: ChartFigure): number[] {
  const values = series.flatMap(({ points }) =>
    points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
  );
  const isFromZero = y.scale === 'linear' && series.some(({ mark }) => mark === 'bars');
  return isFromZero || y.scale === 'difference' ? [0, ...values] : values;
}

/** As many ticks as have room beside each other; the last one may reach beyond the axis, to the right of which there is room then. */
function fitHorizontal(
  { x: axis, series }: ChartFigure,
  room: number,
  isLabelled: boolean,
  { fontSize, serif }: PrintStyle,
): { x: AxisScale; right: number } {
  const values = horizontalValues(series);
  const isTight = series.every(isLine) || series.some(({ mark }) => mark === 'bars');
  const fits = ({ ticks }: AxisScale): boolean => {
    const ends = ticks.map(({ at, text }) => ({ middle: at * room, half: textWidth(text, fontSize, serif) / 2 }));
    return ends.every(
      ({ middle, half }, i) => i === 0 || middle - half > ends[i - 1]!.middle + ends[i - 1]!.half + 0.5 * fontSize,
    );
  };
  let most = MOST_TICKS;
  let x = axisScale(axis, values, most, isTight);
  while (!axis.categories && most > 2 && !fits(x)) x = axisScale(axis, values, --most, isTight);
  // Each category stands at the middle of its bars.
  const last = axis.categories ? undefined : x.ticks.at(-1);
  const beyond = last === undefined ? 0 : textWidth(last.text, fontSize, serif) / 2 - (1 - last.at) * room;
  return { x, right: isLabelled ? 0 : Math.max(3, beyond) };
}

/** Bars have half a step to either side. */
function horizontalValues(series: readonly Series[]): number[] {
  const half = stepOf(series) / 2;
  return series.flatMap(({ mark, points }) =>
    points.flatMap(({ x }) => (mark === 'bars' ? [x - half, x + half] : [x])),
  );
}

/** What a line is called, where it ends, behind a piece of it; moved apart where two would meet. */
function directLabels(items: readonly DrawnSeries[], plot: Box, y: AxisScale, room: number, style: PrintStyle): Mark[] {
  const { fontSize: size, serif } = style;
  const { right, top, bottom } = edges(plot);
  const shown = items.filter(({ series }) => series.points.length > 0);
  const ends = shown.map(({ series }) => y.at(series.points.at(-1)!.y));
  const wanted = ends.map((at) => Math.min(bottom, Math.max(top, bottom - at * plot.height)));
  const places = spreadApart(wanted, size * LINE, top, bottom);
  return shown.flatMap((item, i) => {
    const at = ends[i]!;
    const name =
      at > 1.001 ? `${item.series.name} (above)` : at < -0.001 ? `${item.series.name} (below)` : item.series.name;
    const text = fitText(name, room - SWATCH - 3, size, serif);
    return [
      ...swatch(item, right + BEFORE, places[i]!),
      textMark(text, right + BEFORE + SWATCH + 3, places[i]! + size * ASCENT * 0.5, size, 'start'),
    ];
  });
}
