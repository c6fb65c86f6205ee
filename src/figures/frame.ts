import type { AxisScale } from './axisScale.ts';
import { ASCENT, DESCENT, textWidth } from './lettering.ts';
import { GRID, INK, RULE } from './looks.ts';
import type { PrintStyle } from './printStyle.ts';
import { polyline } from './scene.ts';
import type { Box, Mark, TextMark } from './scene.ts';

/** Points: a tick's length, and from it to what is written. */
export const TICK = 2.5;
export const GAP = 2.5;
const AXIS = { colour: RULE, width: 0.5 };

/** Two axes with their labels, around a plot. */
export interface Frame {
  readonly plot: Box;
  readonly x: AxisScale;
  readonly y: AxisScale;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Whether what stands at the ticks of the horizontal axis is written upwards. */
  readonly isTurned?: boolean;
}

/** Room left of a plot: ticks, their texts, and the label that is written upwards. */
export function roomLeft(y: AxisScale, label: string, { fontSize, serif }: PrintStyle): number {
  const widest = Math.max(0, ...y.ticks.map(({ text }) => textWidth(text, fontSize, serif)));
  return TICK + GAP + widest + (label === '' ? 0 : GAP + fontSize * (ASCENT + DESCENT) + 1);
}

/** @param turned what stands at the ticks, where that is written upwards */
export function roomBelow(label: string, { fontSize, serif }: PrintStyle, turned: readonly string[] = []): number {
  const line = fontSize * (ASCENT + DESCENT);
  const texts = Math.max(line, ...turned.map((text) => textWidth(text, fontSize, serif)));
  return TICK + GAP + texts + (label === '' ? 0 : GAP + line);
}

/** Thin lines, few ticks, a faint line across at each tick of the vertical axis. */
export function drawFrame(
  { plot, x, y, xLabel, yLabel, isTurned = false }: Frame,
  style: PrintStyle,
): { below: Mark[]; above: Mark[] } {
  const { left, right, top, bottom } = edges(plot);
  const size = style.fontSize;
  const yAt = (at: number): number => bottom - at * plot.height;
  const xAt = (at: number): number => left + at * plot.width;
  const grid = y.ticks
    .filter(({ at }) => at > 0.005)
    .map(({ at }): Mark =>
      stroked(
        [
          [left, yAt(at)],
          [right, yAt(at)],
        ],
        { colour: GRID, width: 0.4 },
      ),
    );
  const ticks = [
    ...y.ticks.map(({ at }): Mark =>
      stroked(
        [
          [left - TICK, yAt(at)],
          [left, yAt(at)],
        ],
        AXIS,
      ),
    ),
    ...x.ticks.map(({ at }): Mark =>
      stroked(
        [
          [xAt(at), bottom],
          [xAt(at), bottom + TICK],
        ],
        AXIS,
      ),
    ),
  ];
  const texts = [
    ...y.ticks.map(({ at, text }) => textMark(text, left - TICK - GAP, yAt(at) + size * ASCENT * 0.5, size, 'end')),
    ...x.ticks.map(({ at, text }): TextMark =>
      isTurned
        ? { ...textMark(text, xAt(at) + size * ASCENT * 0.5, bottom + TICK + GAP, size, 'end'), isTurned }
        : textMark(text, xAt(at), bottom + TICK + GAP + size * ASCENT, size, 'middle'),
    ),
  ];
  const turned = isTurned ? x.ticks.map(({ text }) => text) : [];
  const lowest = bottom + roomBelow(xLabel, style, turned) - size * DESCENT;
  const labels = [
    ...(xLabel === '' ? [] : [textMark(xLabel, (left + right) / 2, lowest, size, 'middle')]),
    ...(yLabel === ''
      ? []
      : [
          {
            ...textMark(
              yLabel,
              left - roomLeft(y, yLabel, style) + size * ASCENT + 1,
              (top + bottom) / 2,
              size,
              'middle',
            ),
            isTurned: true,
          },
        ]),
  ];
  return {
    below: grid,
    above: [
      stroked(
        [
          [left, top],
          [left, bottom],
        ],
        AXIS,
      ),
      stroked(
        [
          [left, bottom],
          [right, bottom],
        ],
        AXIS,
      ),
      ...ticks,
      ...(y.gap === undefined ? [] : breakMarks(left, yAt(y.gap))),
      ...texts,
      ...labels,
    ],
  };
}

/** Two slanted strokes across a piece of the axis that is not there. */
function breakMarks(x: number, y: number): Mark[] {
  const half = 1.6;
  return [
    { kind: 'rect', x: x - 1, y: y - half, width: 2, height: 2 * half, fill: { colour: '#ffffff' } },
    ...[-half, half].map((shift) =>
      stroked(
        [
          [x - 3, y + shift + 1.2],
          [x + 3, y + shift - 1.2],
        ],
        AXIS,
      ),
    ),
  ];
}

export function stroked(
  places: readonly (readonly [number, number])[],
  stroke: { readonly colour: string; readonly width: number; readonly dash?: readonly number[] },
): Mark {
  return { kind: 'path', path: polyline(...places), stroke };
}

export function textMark(
  text: string,
  x: number,
  y: number,
  size: number,
  anchor: TextMark['anchor'],
  colour = INK,
): TextMark {
  return { kind: 'text', text, x, y, size, anchor, isTurned: false, colour };
}

export function edges({ x, y, width, height }: Box): { left: number; right: number; top: number; bottom: number } {
  return { left: x, right: x + width, top: y, bottom: y + height };
}
