import { line } from 'd3-shape';
import { axisScale } from './axisScale.ts';
import type { AxisScale } from './axisScale.ts';
import type { ParallelAxis, ParallelFigure } from './figureSchema.ts';
import { stroked, textMark, TICK } from './frame.ts';
import { drawLegend } from './legend.ts';
import { ASCENT, fitText, LINE, textWidth, wrapText } from './lettering.ts';
import { looksOf, RULE } from './looks.ts';
import type { PrintStyle } from './printStyle.ts';
import { PathRecorder, POINTS_PER_MILLIMETRE } from './scene.ts';
import type { Mark, Scene } from './scene.ts';

const RATIO = 0.5;
const GAP = 2;
/** Lines of an axis's name. */
const MOST_LINES = 3;
/** More lines than this are not told apart by colour or dash. */
const MOST_NAMED = 7;

/** Each line goes through its value on every axis: settings, and what came of them. */
export function layOutParallel(figure: ParallelFigure, style: PrintStyle): Scene {
  const { fontSize: size, serif } = style;
  const width = style.width * POINTS_PER_MILLIMETRE;
  const named =
    figure.lines.length <= MOST_NAMED ? figure.lines : figure.lines.filter(({ emphasis }) => emphasis === 'main');
  const looks = looksOf(
    figure.lines.map((each) => (named.includes(each) ? (each.emphasis ?? 'normal') : 'faint')),
    style,
  );
  const items = figure.lines.map((each, i) => ({
    series: { name: each.name, mark: 'line' } as const,
    look: looks[i]!,
  }));
  const legend = drawLegend(
    items.filter((_, i) => named.includes(figure.lines[i]!)),
    width,
    style,
  );

  const scales = figure.axes.map((axis, i) =>
    scaleOf(
      axis,
      figure.lines.flatMap(({ values }) => values[i] ?? []),
    ),
  );
  const spacing = width / figure.axes.length;
  const room = spacing - 2 * GAP - TICK;
  const widest = (i: number): number =>
    Math.max(0, ...scales[i]!.ticks.map(({ text }) => Math.min(room, textWidth(text, size, serif))));
  const left = widest(0) + TICK + GAP + 1;
  const names = figure.axes.map(({ label }) => wrapText(label, spacing - 2 * GAP, MOST_LINES, size, serif));
  const half = (i: number): number => Math.max(...names.at(i)!.map((text) => textWidth(text, size, serif))) / 2;
  const [first, last] = [Math.max(left, half(0)), width - Math.max(2, half(-1))];
  const xs = figure.axes.map((_, i) => first + (i * (last - first)) / (figure.axes.length - 1));
  const lines = Math.max(...names.map((each) => each.length));
  const top = legend.height + lines * size * LINE + 0.6 * size;
  const height =
    style.height === undefined ? top + RATIO * Math.min(width, 300) + size * 0.5 : style.height * POINTS_PER_MILLIMETRE;
  const bottom = height - size * 0.5;
  const at = (share: number): number => bottom - share * (bottom - top);

  const paths = figure.lines.map((each, i): Mark => {
    const recorder = new PathRecorder();
    line<{ x: number; value: number | null; scale: AxisScale }>()
      .defined(({ value }) => value !== null)
      .x(({ x }) => x)
      .y(({ value, scale }) => at(scale.at(value!)))
      .context(recorder as never)(xs.map((x, axis) => ({ x, value: each.values[axis] ?? null, scale: scales[axis]! })));
    return { kind: 'path', path: recorder.steps, stroke: looks[i]!.stroke };
  });
  const byDepth = paths.map((path, i) => ({ path, width: looks[i]!.stroke.width })).sort((a, b) => a.width - b.width);
  const axes = figure.axes.flatMap((_, i): Mark[] => {
    const x = xs[i]!;
    return [
      stroked(
        [
          [x, top],
          [x, bottom],
        ],
        { colour: RULE, width: 0.5 },
      ),
      ...scales[i]!.ticks.flatMap(({ at: share, text }) => [
        stroked(
          [
            [x - TICK, at(share)],
            [x, at(share)],
          ],
          { colour: RULE, width: 0.5 },
        ),
        ...legible(
          fitText(text, i === 0 ? first - TICK - GAP / 2 : room, size, serif),
          x - TICK - GAP / 2,
          at(share) + size * ASCENT * 0.5,
          size,
          serif,
        ),
      ]),
      ...names[i]!.map((text, row) =>
        textMark(
          text,
          x,
          legend.height + (lines - names[i]!.length + row) * size * LINE + size * ASCENT,
          size,
          'middle',
        ),
      ),
    ];
  });
  return { width, height, marks: [...byDepth.map(({ path }) => path), ...axes, ...legend.marks] };
}

function scaleOf(axis: ParallelAxis, values: readonly number[]): AxisScale {
  const { label, scale, categories = [], format } = axis;
  if (scale !== 'category') return axisScale({ label, scale, ...(format && { format }) }, values, 5);
  const last = Math.max(1, categories.length - 1);
  const ticks = categories.map((text, i) => ({ at: categories.length === 1 ? 0.5 : i / last, text }));
  return { min: 0, max: last, at: (value) => (categories.length === 1 ? 0.5 : value / last), ticks, gap: undefined };
}

/** On a piece of paper of its own: lines go behind it. */
function legible(text: string, x: number, y: number, size: number, serif: boolean): Mark[] {
  const width = textWidth(text, size, serif);
  return [
    {
      kind: 'rect',
      x: x - width,
      y: y - size * ASCENT,
      width,
      height: size * ASCENT,
      fill: { colour: '#ffffff', opacity: 0.8 },
    },
    textMark(text, x, y, size, 'end'),
  ];
}
