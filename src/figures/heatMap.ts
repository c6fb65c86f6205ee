import { formatterOf } from './axisScale.ts';
import type { HeatFigure } from './figureSchema.ts';
import { textMark } from './frame.ts';
import { ASCENT, DESCENT, fitText, LINE, textWidth } from './lettering.ts';
import { EDGE } from './legend.ts';
import { inkOn, shadeAt } from './looks.ts';
import type { PrintStyle } from './printStyle.ts';
import { POINTS_PER_MILLIMETRE } from './scene.ts';
import type { Box, Mark, Scene } from './scene.ts';

/** Points: how high a row is, and how narrow a column may become before neighbours are averaged. */
const ROW = { least: 2.5, most: 11, all: 190 };
const NARROWEST = 1.2;
/** Cells reach below their right neighbours, so that no paper shines through between two of them. */
const OVERLAP = 0.5;
const BAR = { width: 60, height: 5, steps: 30 };
const GAP = 3;

/** A matrix as shades, with numbers where there is room for them: nobody has to read a shade. */
export function layOutHeatMap(figure: HeatFigure, style: PrintStyle): Scene {
  const { fontSize: size, serif } = style;
  const width = style.width * POINTS_PER_MILLIMETRE;
  const rows = figure.rows.length;
  const wanted = style.height === undefined ? ROW.all : style.height * POINTS_PER_MILLIMETRE;
  const rowHeight = Math.min(ROW.most, Math.max(ROW.least, wanted / rows));
  const widest = Math.min(0.3 * width, Math.max(...figure.rows.map((row) => textWidth(row, size, serif))));
  const left = size * (ASCENT + DESCENT) + GAP + widest + GAP;
  const scale = drawScale(figure, width, style);
  const last = textWidth(figure.columns.at(-1)!, size, serif) / 2;
  const plot: Box = {
    x: left,
    y: scale.height,
    width: width - left - Math.min(last, 0.1 * width),
    height: rows * rowHeight,
  };
  const below = plot.y + plot.height + GAP + size * ASCENT;
  const line = size * LINE;
  return {
    width,
    height: below + line + size * DESCENT,
    marks: [
      ...drawCells(figure, plot, style),
      { kind: 'rect', ...plot, stroke: EDGE },
      ...drawRowNames(figure, plot, widest, style),
      { ...textMark(figure.rowLabel, size * ASCENT, plot.y + plot.height / 2, size, 'middle'), isTurned: true },
      ...drawColumnNames(figure, plot, below, style),
      textMark(figure.columnLabel, plot.x + plot.width / 2, below + line, size, 'middle'),
      ...scale.marks,
    ],
  };
}

function drawCells(figure: HeatFigure, plot: Box, style: PrintStyle): Mark[] {
  const { min, max, rows } = figure;
  const shown = Math.min(figure.columns.length, Math.max(1, Math.floor(plot.width / NARROWEST)));
  const cell = { width: plot.width / shown, height: plot.height / rows.length };
  const size = style.fontSize * 0.8;
  const all = figure.values.flat().flatMap((value) => value ?? []);
  // Shares without their sign: the scale says what they are.
  const write = (value: number): string =>
    figure.format === 'share'
      ? String(Math.round(100 * value))
      : formatterOf('number', [Number(value.toPrecision(2))])(value);
  const widest = all.reduce((most, value) => Math.max(most, textWidth(write(value), size, style.serif)), 0);
  const isWritten = shown === figure.columns.length && cell.height >= size * 1.05 && cell.width >= widest + 2;
  const marks: Mark[] = [];
  for (let row = 0; row < rows.length; row++)
    for (let column = 0; column < shown; column++) {
      const value = meanOf(figure.values[row] ?? [], column, shown, figure.columns.length);
      if (value === undefined) continue;
      const colour = shadeAt(max > min ? (value - min) / (max - min) : 0.5, style);
      const [x, y] = [plot.x + column * cell.width, plot.y + row * cell.height];
      const isLast = column === shown - 1;
      marks.push({
        kind: 'rect',
        x,
        y,
        width: cell.width + (isLast ? 0 : OVERLAP),
        height: cell.height + (row === rows.length - 1 ? 0 : OVERLAP),
        fill: { colour },
      });
      if (!isWritten) continue;
      marks.push(
        textMark(
          write(value),
          x + cell.width / 2,
          y + cell.height / 2 + size * ASCENT * 0.5,
          size,
          'middle',
          inkOn(colour),
        ),
      );
    }
  return texts(marks);
}

/** What is written lies above all cells, that of the next row, too. */
function texts(marks: readonly Mark[]): Mark[] {
  return [...marks.filter(({ kind }) => kind !== 'text'), ...marks.filter(({ kind }) => kind === 'text')];
}

/** Of the columns that fall on the same place of `shown`. */
function meanOf(row: readonly (number | null)[], place: number, shown: number, columns: number): number | undefined {
  const begin = Math.floor((place * columns) / shown);
  const end = Math.max(begin + 1, Math.floor(((place + 1) * columns) / shown));
  const values = row.slice(begin, end).filter((value) => value !== null);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function drawRowNames({ rows }: HeatFigure, plot: Box, room: number, { fontSize: size, serif }: PrintStyle): Mark[] {
  const rowHeight = plot.height / rows.length;
  const every = niceStep((size * LINE) / rowHeight);
  return rows.flatMap((row, i) =>
    i % every === 0
      ? [
          textMark(
            fitText(row, room, size, serif),
            plot.x - GAP,
            plot.y + (i + 0.5) * rowHeight + size * ASCENT * 0.5,
            size,
            'end',
          ),
        ]
      : [],
  );
}

function drawColumnNames({ columns }: HeatFigure, plot: Box, y: number, { fontSize: size, serif }: PrintStyle): Mark[] {
  const cell = plot.width / columns.length;
  const widest = Math.max(...columns.map((name) => textWidth(name, size, serif)));
  const every = niceStep((widest + 0.6 * size) / cell);
  return columns.flatMap((name, i) =>
    i % every === 0 ? [textMark(name, plot.x + (i + 0.5) * cell, y, size, 'middle')] : [],
  );
}

/** 1, 2, 5, 10, …: the first that is at least this. */
function niceStep(least: number): number {
  for (let power = 1; ; power *= 10) for (const factor of [1, 2, 5]) if (factor * power >= least) return factor * power;
}

/** What the shades mean, above the plot, at the right. */
function drawScale(figure: HeatFigure, width: number, style: PrintStyle): { marks: Mark[]; height: number } {
  const { fontSize: size, serif } = style;
  const ends = [figure.min, figure.max].map((value) => Number(value.toPrecision(3)));
  const format = formatterOf(figure.format ?? 'number', ends);
  const [low, high] = [format(ends[0]!), format(ends[1]!)];
  const right = width - textWidth(high, size, serif);
  const bar = { x: right - GAP - BAR.width, y: (size - BAR.height) / 2 };
  const lowX = bar.x - GAP;
  const baseline = size * 0.5 + size * ASCENT * 0.5;
  const room = lowX - textWidth(low, size, serif) - 2 * GAP;
  const step = BAR.width / BAR.steps;
  const shades = Array.from({ length: BAR.steps }, (_, i): Mark => {
    const fill = { colour: shadeAt(i / (BAR.steps - 1), style) };
    return {
      kind: 'rect',
      x: bar.x + i * step,
      y: bar.y,
      width: step + (i === BAR.steps - 1 ? 0 : OVERLAP),
      height: BAR.height,
      fill,
    };
  });
  return {
    height: size * LINE + GAP,
    marks: [
      textMark(fitText(figure.meaning, room, size, serif), room, baseline, size, 'end'),
      textMark(low, lowX, baseline, size, 'end'),
      ...shades,
      { kind: 'rect', ...bar, width: BAR.width, height: BAR.height, stroke: EDGE },
      textMark(high, width, baseline, size, 'end'),
    ],
  };
}
