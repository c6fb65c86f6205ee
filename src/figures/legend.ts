import type { Series } from './figureSchema.ts';
import { textMark } from './frame.ts';
import { ASCENT, fitText, LINE, textWidth } from './lettering.ts';
import { PAPER } from './looks.ts';
import type { Look } from './looks.ts';
import type { PrintStyle } from './printStyle.ts';
import { polyline } from './scene.ts';
import type { Mark, Path, Place } from './scene.ts';

/** Points: a piece of a series, from it to its name, and from there to the next. */
export const SWATCH = 15;
const GAP = 3;
const APART = 10;

export interface LegendItem {
  readonly series: Pick<Series, 'name' | 'mark' | 'hollow'>;
  readonly look: Look;
}

/** Names in rows above a plot, each behind a piece of what it names. */
export function drawLegend(
  items: readonly LegendItem[],
  width: number,
  style: PrintStyle,
): { marks: Mark[]; height: number } {
  const { fontSize: size, serif } = style;
  const line = size * LINE;
  const marks: Mark[] = [];
  let [x, row] = [0, 0];
  for (const item of items) {
    const name = fitText(item.series.name, width - SWATCH - GAP, size, serif);
    const needed = SWATCH + GAP + textWidth(name, size, serif);
    if (x > 0 && x + needed > width) {
      x = 0;
      row++;
    }
    const middle = (row + 0.5) * line;
    marks.push(...swatch(item, x, middle));
    marks.push(textMark(name, x + SWATCH + GAP, middle + size * ASCENT * 0.5, size, 'start'));
    x += needed + APART;
  }
  return { marks, height: items.length === 0 ? 0 : (row + 1) * line + 3 };
}

/** A piece of a series, {@link SWATCH} long. */
export function swatch({ series, look }: LegendItem, x: number, y: number): Mark[] {
  const { stroke, marker, area } = look;
  if (series.mark === 'bars')
    return [{ kind: 'rect', x: x + 3, y: y - 3, width: SWATCH - 6, height: 6, fill: { colour: area }, stroke: EDGE }];
  const line: Mark = { kind: 'path', path: polyline([x, y], [x + SWATCH, y]), stroke };
  if (series.mark === 'line' || series.mark === 'step') return [line];
  const point = markersAt([{ x: x + SWATCH / 2, y }], marker, look, series.hollow === true);
  return series.mark === 'front' ? [line, point] : [point];
}

export const EDGE = { colour: '#333333', width: 0.4 };

/** Filled ones have a thin edge of paper, by which those that overlap are told apart. */
export function markersAt(
  at: readonly Place[],
  path: Path,
  { stroke: { colour } }: Pick<Look, 'stroke'>,
  isHollow: boolean,
): Mark {
  if (path.at(-1)?.to !== 'close') return { kind: 'markers', path, at, stroke: { colour, width: 0.8 } };
  const [edge, inner] = isHollow ? [colour, PAPER] : [PAPER, colour];
  return { kind: 'markers', path, at, stroke: { colour: edge, width: isHollow ? 0.7 : 0.35 }, fill: { colour: inner } };
}
