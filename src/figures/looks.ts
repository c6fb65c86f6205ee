import type { Emphasis } from './figureSchema.ts';
import { markerPath } from './markerPath.ts';
import type { MarkerShape } from './markerPath.ts';
import type { PrintStyle } from './printStyle.ts';
import type { Colour, Path, Stroke } from './scene.ts';

/** How a series is drawn: no two of a figure in the same way, whatever the printer. */
export interface Look {
  readonly stroke: Stroke;
  readonly marker: Path;
  /** Of bars and of bands. */
  readonly area: Colour;
}

export const INK: Colour = '#000000';
export const PAPER: Colour = '#ffffff';
/** Of axes and ticks. */
export const RULE: Colour = '#4d4d4d';
export const GRID: Colour = '#e3e3e3';

/** Okabe and Ito's colours, which the colour-blind tell apart, in an order in which neighbours differ in lightness, too. */
const PRINT: readonly Colour[] = ['#0072b2', '#d55e00', '#009e73', '#a4508b', '#c48700', '#3d9bd1', '#7f3b08'];
const GREY: readonly Colour[] = ['#000000', '#666666', '#333333', '#8c8c8c', '#4d4d4d', '#737373', '#1a1a1a'];
/** Fills are told apart by lightness alone. */
const GREY_AREAS: readonly Colour[] = ['#595959', '#bfbfbf', '#8c8c8c', '#d9d9d9', '#404040', '#a6a6a6', '#cccccc'];

const DASHES: readonly (readonly number[])[] = [
  [],
  [4, 1.6],
  [1.2, 1.4],
  [5, 1.4, 1.2, 1.4],
  [7, 2],
  [2.6, 1.2],
  [3, 1, 1, 1, 1, 1],
];
const REFERENCE_DASHES: readonly (readonly number[])[] = [[], [3, 1.5], [0.9, 1.2], [4, 1.2, 0.9, 1.2], [6, 2]];
const SHAPES: readonly MarkerShape[] = ['circle', 'triangle', 'square', 'diamond', 'downwards', 'cross', 'plus'];

const WIDTHS: Readonly<Record<Emphasis, number>> = { main: 1.5, normal: 1, reference: 0.7, faint: 0.5 };

/** Of each of these series; what stands out, and what is measured by, count on their own. */
export function looksOf(emphases: readonly Emphasis[], { colours }: Pick<PrintStyle, 'colours'>): Look[] {
  const palette = colours === 'grey' ? GREY : PRINT;
  const areas = colours === 'grey' ? GREY_AREAS : PRINT;
  // What stands out has the first colour, wherever it is listed.
  let main = 0;
  let normal = emphases.filter((emphasis) => emphasis === 'main').length;
  let referred = 0;
  return emphases.map((emphasis): Look => {
    const width = WIDTHS[emphasis];
    if (emphasis === 'faint') {
      const colour = '#a6a6a6';
      return { stroke: { colour, width }, marker: markerPath('circle', 1.2), area: '#cccccc' };
    }
    if (emphasis === 'reference') {
      const place = referred++;
      const dash = REFERENCE_DASHES[place % REFERENCE_DASHES.length]!;
      const stroke = { colour: INK, width, ...(dash.length > 0 && { dash }) };
      return { stroke, marker: markerPath(SHAPES[(place + 1) % SHAPES.length]!, 2), area: '#999999' };
    }
    const place = emphasis === 'main' ? main++ : normal++;
    const colour = palette[place % palette.length]!;
    const dash = DASHES[(place + Math.floor(place / DASHES.length)) % DASHES.length]!;
    const stroke = { colour, width, ...(dash.length > 0 && { dash }) };
    const marker = markerPath(SHAPES[place % SHAPES.length]!, 1.9);
    return { stroke, marker, area: areas[place % areas.length]! };
  });
}

/** Shades from paper to ink, even in lightness. @param share 0 to 1; what lies outside is clamped */
export function shadeAt(share: number, { colours }: Pick<PrintStyle, 'colours'>): Colour {
  const stops = SHADES[colours];
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const from = Math.min(stops.length - 2, Math.floor(place));
  return mixed(stops[from]!, stops[from + 1]!, place - from);
}

/** Black or white, whichever can be read on a shade. */
export function inkOn(shade: Colour): Colour {
  const [red, green, blue] = channelsOf(shade);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? INK : PAPER;
}

/** The lowest value can be told from where there is none. */
const SHADES = {
  print: ['#eef4fa', '#b5d0e8', '#6aaed6', '#2878b8', '#083d7a'],
  grey: ['#f2f2f2', '#1a1a1a'],
} as const satisfies Record<PrintStyle['colours'], readonly Colour[]>;

function mixed(a: Colour, b: Colour, part: number): Colour {
  const [from, to] = [channelsOf(a), channelsOf(b)];
  const hex = from.map((value, i) =>
    Math.round(value + part * (to[i]! - value))
      .toString(16)
      .padStart(2, '0'),
  );
  return `#${hex.join('')}`;
}

/** 0 to 255 each. */
export function channelsOf(colour: Colour): [red: number, green: number, blue: number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
