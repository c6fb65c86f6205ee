/**
 * How wide texts are in the fonts that every PDF reader has, and that others have the measures of: Helvetica (Arial, Liberation Sans, Nimbus
 * Sans) and Times (Times New Roman, Liberation Serif). A layout that is right with them is right in SVG and in PDF.
 */

/** Widths of the characters from blank to tilde, in thousandths of the font's size (Adobe's Core 14 AFM files). */
const HELVETICA = [
  ...[278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556],
  ...[556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667],
  ...[556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556],
  ...[556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722],
  ...[500, 500, 500, 334, 260, 334, 584],
];
const TIMES = [
  ...[250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278, 500, 500, 500, 500, 500, 500],
  ...[500, 500, 500, 500, 278, 278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611, 556, 722, 722, 333, 389, 722],
  ...[611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722, 722, 611, 333, 278, 333, 469, 500, 333, 444],
  ...[500, 444, 500, 444, 333, 500, 500, 278, 278, 500, 278, 778, 500, 500, 500, 500, 333, 389, 278, 500, 500, 722],
  ...[500, 500, 444, 480, 200, 480, 541],
];
/** What figures have beyond these: of both fonts the wider one. */
const OTHERS: Readonly<Record<string, number>> = {
  ...{ '…': 1000, '–': 556, '—': 1000, '−': 584, '±': 584, '×': 584, '·': 278, '•': 350, '≈': 549, '≤': 549 },
  ...{ '≥': 549, '→': 987, '↑': 603, '↓': 603, '∞': 713, '√': 549, '²': 333, '³': 333, '°': 400, '\u00a0': 278 },
};
/** Of anything else a guess on the wide side: an ideograph is as wide as it is high. */
const LATIN = 722;
const WIDE = 1000;

/** Points. */
export function textWidth(text: string, size: number, serif: boolean): number {
  const widths = serif ? TIMES : HELVETICA;
  let sum = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    sum += widths[code - 32] ?? OTHERS[character] ?? (code < 0x590 ? LATIN : WIDE);
  }
  return (sum * size) / 1000;
}

/** A text, or as much of it as there is room for, with an ellipsis. */
export function fitText(text: string, room: number, size: number, serif: boolean): string {
  if (textWidth(text, size, serif) <= room) return text;
  // Cut between characters, never within one.
  const characters = Array.from(new Intl.Segmenter('en').segment(text), ({ segment }) => segment);
  // Where it is cut, no blank or comma is left hanging.
  for (let length = characters.length - 1; length > 0; length--) {
    const cut = `${characters
      .slice(0, length)
      .join('')
      .replace(/[\s,;:·]+$/, '')}…`;
    if (textWidth(cut, size, serif) <= room) return cut;
  }
  return '…';
}

/** Lines that fit, broken at blanks, at most so many: the last one is cut. */
export function wrapText(text: string, room: number, most: number, size: number, serif: boolean): string[] {
  const lines: string[] = [];
  let rest = text.trim().split(/\s+/);
  while (rest.length > 0) {
    let count = rest.length;
    if (lines.length === most - 1) {
      lines.push(fitText(rest.join(' '), room, size, serif));
      break;
    }
    while (count > 1 && textWidth(rest.slice(0, count).join(' '), size, serif) > room) count--;
    lines.push(fitText(rest.slice(0, count).join(' '), room, size, serif));
    rest = rest.slice(count);
  }
  return lines;
}

/** Of the font's size, above and below the baseline: what letters take up. */
export const ASCENT = 0.72;
export const DESCENT = 0.22;
/** From one line to the next. */
export const LINE = 1.15;
