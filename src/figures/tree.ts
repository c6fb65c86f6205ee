import { hierarchy, tree } from 'd3-hierarchy';
import type { TreeFigure } from './figureSchema.ts';
import { textMark } from './frame.ts';
import { ASCENT, DESCENT, fitText, LINE, textWidth } from './lettering.ts';
import { RULE } from './looks.ts';
import type { PrintStyle } from './printStyle.ts';
import { POINTS_PER_MILLIMETRE } from './scene.ts';
import type { Mark, Path, Scene } from './scene.ts';

/** In sizes of the font: around a label, between siblings, and between levels. */
const PAD = { x: 0.55, y: 0.35 };
const APART = { across: 0.7, along: 1.7 };
const WIDEST_LABEL = 14;
/** Millimetres: no tree is higher than a page. */
const HIGHEST = 230;

/** A node with its place on the paper. */
interface Placed {
  readonly label: string;
  readonly note: string | undefined;
  readonly parent: number | null;
  readonly level: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** A syntax tree: boxes with names, joined by curves. As wide as it needs to be; what is wider than the style says is drawn smaller. */
export function layOutTree(figure: TreeFigure, style: PrintStyle): Scene {
  const room = style.width * POINTS_PER_MILLIMETRE;
  const natural = place(figure, style, style.fontSize);
  const highest = (style.height ?? HIGHEST) * POINTS_PER_MILLIMETRE;
  const size = style.fontSize * Math.min(1, room / natural.width, highest / natural.height);
  const { nodes, width, height, box } = size === style.fontSize ? natural : place(figure, style, size);
  const isRight = figure.direction === 'right';
  const marks = nodes.flatMap((node): Mark[] => {
    const parent = node.parent === null ? undefined : nodes[node.parent];
    return parent
      ? [{ kind: 'path', path: link(parent, node, box, isRight), stroke: { colour: RULE, width: 0.6 } }]
      : [];
  });
  const boxes = nodes.flatMap((node): Mark[] => {
    const middle = node.x + node.width / 2;
    const lines = node.note === undefined ? ASCENT : ASCENT + LINE * 0.8;
    const first = node.y + box / 2 + (ASCENT - lines / 2) * size;
    return [
      {
        kind: 'rect',
        x: node.x,
        y: node.y,
        width: node.width,
        height: box,
        fill: { colour: '#ffffff' },
        stroke: { colour: RULE, width: 0.6 },
      },
      textMark(node.label, middle, first, size, 'middle'),
      ...(node.note === undefined
        ? []
        : [textMark(node.note, middle, first + size * LINE * 0.8, size * 0.8, 'middle', RULE)]),
    ];
  });
  return { width, height, marks: [...marks, ...boxes] };
}

/** At one size of the font; the picture is as large as the tree then. */
function place(
  figure: TreeFigure,
  { serif }: PrintStyle,
  size: number,
): { nodes: readonly Placed[]; width: number; height: number; box: number } {
  const isRight = figure.direction === 'right';
  const texts = figure.nodes.map(({ label, note }) => {
    const shown = fitText(label, WIDEST_LABEL * size, size, serif);
    const below = note === undefined ? undefined : fitText(note, WIDEST_LABEL * size, 0.8 * size, serif);
    const needed = Math.max(textWidth(shown, size, serif), textWidth(below ?? '', 0.8 * size, serif));
    return { label: shown, note: below, width: needed + 2 * PAD.x * size };
  });
  const hasNotes = texts.some(({ note }) => note !== undefined);
  const box = size * (ASCENT + DESCENT + 2 * PAD.y + (hasNotes ? LINE * 0.85 : 0));
  const levels = levelsOf(figure);
  const widths = Array.from({ length: Math.max(...levels) + 1 }, (_, level) =>
    Math.max(...texts.flatMap(({ width }, i) => (levels[i] === level ? [width] : []))),
  );
  const alongOf = (level: number): number =>
    isRight
      ? widths.slice(0, level).reduce((sum, width) => sum + width + APART.along * size, 0)
      : level * (box + APART.along * size);
  const across = acrossOf(figure, (i) => (isRight ? box : texts[i]!.width), APART.across * size);
  const starts = across.map((middle, i) => middle - (isRight ? box : texts[i]!.width) / 2);
  const first = starts.reduce((least, each) => Math.min(least, each), Infinity);
  const nodes = texts.map(({ label, note, width }, i): Placed => {
    const level = levels[i]!;
    const [along, side] = [alongOf(level) + 0.5, starts[i]! - first + 0.5];
    const shared = { label, note, parent: figure.nodes[i]!.parent, level };
    return isRight ? { ...shared, x: along, y: side, width: widths[level]! } : { ...shared, x: side, y: along, width };
  });
  const width = nodes.reduce((most, node) => Math.max(most, node.x + node.width), 0) + 0.5;
  const height = nodes.reduce((most, node) => Math.max(most, node.y + box), 0) + 0.5;
  return { nodes, width, height, box };
}

function levelsOf({ nodes }: TreeFigure): number[] {
  const levels: number[] = [];
  for (const { parent } of nodes) levels.push(parent === null ? 0 : (levels[parent] ?? 0) + 1);
  return levels;
}

/** Where the middle of each node lies across the direction in which the tree grows: Reingold and Tilford's. */
function acrossOf({ nodes }: TreeFigure, extent: (node: number) => number, gap: number): number[] {
  const children = nodes.map((): number[] => []);
  for (const [i, { parent }] of nodes.entries()) if (parent !== null) children[parent]?.push(i);
  const root = hierarchy(0, (node) => children[node]);
  const placed = tree<number>()
    .nodeSize([1, 1])
    .separation((a, b) => (extent(a.data) + extent(b.data)) / 2 + gap)(root);
  const across = new Array<number>(nodes.length).fill(0);
  for (const { data, x } of placed.descendants()) across[data] = x;
  return across;
}

/** From the middle of a parent's side to that of its child's. */
function link(parent: Placed, child: Placed, box: number, isRight: boolean): Path {
  const [from, to] = isRight
    ? [
        { x: parent.x + parent.width, y: parent.y + box / 2 },
        { x: child.x, y: child.y + box / 2 },
      ]
    : [
        { x: parent.x + parent.width / 2, y: parent.y + box },
        { x: child.x + child.width / 2, y: child.y },
      ];
  const middle = isRight ? (from.x + to.x) / 2 : (from.y + to.y) / 2;
  const handles = isRight
    ? { x1: middle, y1: from.y, x2: middle, y2: to.y }
    : { x1: from.x, y1: middle, x2: to.x, y2: middle };
  return [
    { to: 'move', ...from },
    { to: 'curve', ...handles, ...to },
  ];
}
