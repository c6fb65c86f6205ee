import { svg } from '../shared/dom.ts';

/** How a run's lines look, everywhere in the page: by colour, and by dash where colours come again or are not seen. */
export interface RunStyle {
  /** Class of the colour, which is the theme's. */
  readonly colour: string;
  /** As SVG has it. */
  readonly dash: string;
}

const COLOURS = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'];
const DASHES = ['none', '7 3', '2 3', '9 3 2 3', '4 2', '1 2'];

/** By its place among all that are compared, so that it stays when others are hidden. */
export function runStyle(place: number): RunStyle {
  // Neighbours differ in both: where colours are not seen, dashes are.
  const colour = COLOURS[place % COLOURS.length]!;
  return { colour, dash: DASHES[(place + Math.floor(place / COLOURS.length)) % DASHES.length]! };
}

/** A piece of a run's line, for beside its name. */
export function swatch({ colour, dash }: RunStyle): SVGSVGElement {
  return svg(
    'svg',
    { class: `sample ${colour}`, width: 24, height: 10, 'aria-hidden': true },
    svg('line', { x1: 0, x2: 24, y1: 5, y2: 5, 'stroke-dasharray': dash }),
  );
}
