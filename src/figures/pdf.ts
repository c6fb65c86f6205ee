import type { Figure } from './figureSchema.ts';
import { layOutFigure } from './layOutFigure.ts';
import { textWidth } from './lettering.ts';
import { channelsOf } from './looks.ts';
import { DIFFERENCES, pdfRuns } from './pdfText.ts';
import type { PrintStyle } from './printStyle.ts';
import type { Box, Colour, Fill, Mark, Path, Place, Scene, Stroke, TextMark } from './scene.ts';

const FONTS = { letters: 'F0', symbols: 'F1' } as const;

/**
 * A figure as a PDF document of one page, as large as the figure: vectors, and text in the fonts that readers have. Neither date nor
 * number of a machine is in it, nothing is compressed (which differs from one zlib to the next): equal figures make equal bytes.
 *
 * @throws EspalierError `figure/characters`
 */
export function figurePdf(figure: Figure, style: PrintStyle): Uint8Array {
  const scene = layOutFigure(figure, style);
  const opacities = opacitiesOf(scene);
  const content = contentOf(scene, style, opacities);
  const states = [...opacities].map(([opacity, name]) => `/${name} << /ca ${decimal(opacity)} >>`).join(' ');
  const page = [
    `/Type /Page /Parent 2 0 R /MediaBox [0 0 ${decimal(scene.width)} ${decimal(scene.height)}] /Contents 4 0 R`,
    `/Resources << /Font << /${FONTS.letters} 5 0 R /${FONTS.symbols} 6 0 R >> /ExtGState << ${states} >> >>`,
  ].join(' ');
  const letters = style.serif ? 'Times-Roman' : 'Helvetica';
  const encoding = `<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [${DIFFERENCES}] >>`;
  return documentOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< ${page} >>`,
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    `<< /Type /Font /Subtype /Type1 /BaseFont /${letters} /Encoding ${encoding} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>',
    `<< /Title ${unicode(figure.title)} /Producer (Espalier) >>`,
  ]);
}

/** Objects, numbered from 1 on, and where each of them begins. The first is the catalog, the last says what the document is. */
function documentOf(objects: readonly string[]): Uint8Array {
  // Four bytes beyond ASCII tell programs that this is no text.
  let text = '%PDF-1.4\n%\xe2\xe3\xcf\xd3\n';
  const places = objects.map((object, i) => {
    const place = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${places.join('')}`;
  const trailer = `trailer\n<< /Size ${size} /Root 1 0 R /Info ${objects.length} 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return Uint8Array.from(text + table + trailer, (character) => character.charCodeAt(0));
}

/** Each opacity below 1, with the name of the state that sets it. */
function opacitiesOf({ marks }: Scene): ReadonlyMap<number, string> {
  const all = marks.flatMap((mark) => ('fill' in mark && mark.fill.opacity !== undefined ? [mark.fill.opacity] : []));
  return new Map([...new Set(all)].map((opacity, i) => [opacity, `G${i}`]));
}

function contentOf({ marks, height }: Scene, { serif }: PrintStyle, opacities: ReadonlyMap<number, string>): string {
  const pen = new Pen(height, opacities, serif);
  return ['1 j', ...marks.map((mark) => pen.draw(mark))].join('\n');
}

/** Writes marks as operators of a page, whose origin is its lower left corner. */
class Pen {
  private readonly height: number;
  private readonly opacities: ReadonlyMap<number, string>;
  private readonly serif: boolean;

  constructor(height: number, opacities: ReadonlyMap<number, string>, serif: boolean) {
    this.height = height;
    this.opacities = opacities;
    this.serif = serif;
  }

  draw(mark: Mark): string {
    switch (mark.kind) {
      case 'path':
        return this.painted(mark, this.path(mark.path));
      case 'rect':
        return this.painted(mark, this.box(mark));
      case 'markers':
        return this.painted(mark, mark.at.map((place) => this.path(mark.path, place)).join('\n'));
      case 'text':
        return this.text(mark);
    }
  }

  private painted(
    { stroke, fill, clip }: { readonly stroke?: Stroke; readonly fill?: Fill; readonly clip?: Box },
    shape: string,
  ): string {
    const opacity = fill?.opacity === undefined ? undefined : this.opacities.get(fill.opacity);
    return [
      'q',
      ...(clip ? [`${this.box(clip)} W n`] : []),
      ...(opacity === undefined ? [] : [`/${opacity} gs`]),
      ...(fill ? [`${colour(fill.colour)} rg`] : []),
      ...(stroke
        ? [`${colour(stroke.colour)} RG ${decimal(stroke.width)} w [${(stroke.dash ?? []).map(decimal).join(' ')}] 0 d`]
        : []),
      shape,
      fill && stroke ? 'B' : fill ? 'f' : 'S',
      'Q',
    ].join('\n');
  }

  private at(x: number, y: number): string {
    return `${decimal(x)} ${decimal(this.height - y)}`;
  }

  private box({ x, y, width, height }: Box): string {
    return `${this.at(x, y + height)} ${decimal(width)} ${decimal(height)} re`;
  }

  private path(path: Path, { x: left, y: top }: Place = ORIGIN): string {
    const at = (x: number, y: number): string => this.at(left + x, top + y);
    return path
      .map((step) => {
        switch (step.to) {
          case 'move':
            return `${at(step.x, step.y)} m`;
          case 'line':
            return `${at(step.x, step.y)} l`;
          case 'curve':
            return `${at(step.x1, step.y1)} ${at(step.x2, step.y2)} ${at(step.x, step.y)} c`;
          case 'close':
            return 'h';
        }
      })
      .join('\n');
  }

  private text({ x, y, text, size, anchor, isTurned, colour: ink }: TextMark): string {
    const width = textWidth(text, size, this.serif);
    const shift = anchor === 'start' ? 0 : anchor === 'middle' ? width / 2 : width;
    const place = isTurned ? `0 1 -1 0 ${this.at(x, y + shift)} Tm` : `1 0 0 1 ${this.at(x - shift, y)} Tm`;
    const runs = pdfRuns(text).map(({ font, bytes }) => `/${FONTS[font]} ${decimal(size)} Tf (${escaped(bytes)}) Tj`);
    return ['BT', `${colour(ink)} rg`, place, ...runs, 'ET'].join('\n');
  }
}

const ORIGIN: Place = { x: 0, y: 0 };

function colour(hex: Colour): string {
  return channelsOf(hex)
    .map((value) => decimal(value / 255, 3))
    .join(' ');
}

function escaped(bytes: string): string {
  return bytes.replaceAll(/[\\()]/g, '\\$&');
}

/** A text of the document's description: UTF-16, as hexadecimal digits. */
function unicode(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0'));
  return `<feff${units.join('')}>`;
}

function decimal(value: number, digits = 2): string {
  return String(Number(value.toFixed(digits)));
}
