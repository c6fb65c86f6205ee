import type { Figure } from './figureSchema.ts';
import { layOutFigure } from './layOutFigure.ts';
import type { PrintStyle } from './printStyle.ts';
import { POINTS_PER_MILLIMETRE } from './scene.ts';
import type { Box, Fill, Mark, Path, Place, Scene, Stroke } from './scene.ts';

/** Families with the same measures, one of which every system has. */
const FAMILIES = {
  sans: "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', sans-serif",
  serif: "Times, 'Times New Roman', 'Liberation Serif', 'Nimbus Roman', serif",
} as const;

/** A figure as an SVG document of the printed size. Equal figures make equal texts, fit for git. */
export function figureSvg(figure: Figure, style: PrintStyle): string {
  const scene = layOutFigure(figure, style);
  const clips = clipsOf(scene);
  const millimetres = (points: number): string => `${decimal(points / POINTS_PER_MILLIMETRE)}mm`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${millimetres(scene.width)}" height="${millimetres(scene.height)}" viewBox="0 0 ${decimal(scene.width)} ${decimal(scene.height)}" font-family="${style.serif ? FAMILIES.serif : FAMILIES.sans}">`,
    `<title>${escapeXml(figure.title)}</title>`,
    ...[...clips].map(([box, id]) => `<clipPath id="${id}"><rect ${box}/></clipPath>`),
    ...scene.marks.map((mark) => elementOf(mark, clips)),
    '</svg>',
    '',
  ].join('\n');
}

/** Each box that clips something, as attributes, with its name. */
function clipsOf({ marks }: Scene): ReadonlyMap<string, string> {
  const boxes = new Set(marks.flatMap((mark) => ('clip' in mark ? [boxAttributes(mark.clip)] : [])));
  return new Map([...boxes].map((box, i) => [box, `c${i}`]));
}

function elementOf(mark: Mark, clips: ReadonlyMap<string, string>): string {
  switch (mark.kind) {
    case 'path':
      return `<path d="${pathData(mark.path)}"${paint(mark)}${clip(mark.clip, clips)}/>`;
    case 'rect':
      return `<rect ${boxAttributes(mark)}${paint(mark)}${clip(mark.clip, clips)}/>`;
    case 'markers':
      // Not by reference: not every program that reads SVG follows one.
      return `<path d="${mark.at.map((place) => pathData(mark.path, place)).join('')}"${paint(mark)}/>`;
    case 'text': {
      const { x, y, text, size, anchor, isTurned, colour } = mark;
      const place = isTurned
        ? `transform="translate(${decimal(x)} ${decimal(y)}) rotate(-90)"`
        : `x="${decimal(x)}" y="${decimal(y)}"`;
      const end = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
      return `<text ${place} font-size="${decimal(size)}"${end} fill="${colour}">${escapeXml(text)}</text>`;
    }
  }
}

function pathData(path: Path, { x: left, y: top }: Place = ORIGIN): string {
  const at = (x: number, y: number): string => `${decimal(left + x)} ${decimal(top + y)}`;
  return path
    .map((step) => {
      switch (step.to) {
        case 'move':
          return `M${at(step.x, step.y)}`;
        case 'line':
          return `L${at(step.x, step.y)}`;
        case 'curve':
          return `C${at(step.x1, step.y1)} ${at(step.x2, step.y2)} ${at(step.x, step.y)}`;
        case 'close':
          return 'Z';
      }
    })
    .join('');
}

const ORIGIN: Place = { x: 0, y: 0 };

function paint({ stroke, fill }: { readonly stroke?: Stroke; readonly fill?: Fill }): string {
  const filled = fill
    ? ` fill="${fill.colour}"${fill.opacity === undefined ? '' : ` fill-opacity="${decimal(fill.opacity)}"`}`
    : ' fill="none"';
  if (!stroke) return filled;
  const dash = stroke.dash ? ` stroke-dasharray="${stroke.dash.map(decimal).join(' ')}"` : '';
  return `${filled} stroke="${stroke.colour}" stroke-width="${decimal(stroke.width)}" stroke-linejoin="round"${dash}`;
}

function clip(box: Box | undefined, clips: ReadonlyMap<string, string>): string {
  return box ? ` clip-path="url(#${clips.get(boxAttributes(box))!})"` : '';
}

function boxAttributes({ x, y, width, height }: Box): string {
  return `x="${decimal(x)}" y="${decimal(y)}" width="${decimal(width)}" height="${decimal(height)}"`;
}

/** Two decimals: a thousandth of a millimetre is far below what printers do. */
function decimal(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** Names come from files: no markup, and no characters that XML forbids. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
