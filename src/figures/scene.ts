/** A figure as primitive marks: what both writers understand. Points (1/72 inch) from the upper left corner, y downwards. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  /** The first lies lowest. */
  readonly marks: readonly Mark[];
}

export type Mark = PathMark | RectMark | MarkersMark | TextMark;

export interface PathMark {
  readonly kind: 'path';
  readonly path: Path;
  readonly stroke?: Stroke;
  readonly fill?: Fill;
  /** What lies outside is not drawn. */
  readonly clip?: Box;
}

export interface RectMark extends Box {
  readonly kind: 'rect';
  readonly stroke?: Stroke;
  readonly fill?: Fill;
  readonly clip?: Box;
}

/** The same mark at many places. */
export interface MarkersMark {
  readonly kind: 'markers';
  /** Around 0, 0. */
  readonly path: Path;
  readonly at: readonly Place[];
  readonly stroke?: Stroke;
  readonly fill?: Fill;
}

export interface TextMark extends Place {
  readonly kind: 'text';
  readonly text: string;
  /** Points. */
  readonly size: number;
  /** Which end of the text is at x; y is its baseline. */
  readonly anchor: Anchor;
  /** Written upwards: x is the baseline then, y the place of the anchor. */
  readonly isTurned: boolean;
  readonly colour: Colour;
}

export type Anchor = 'start' | 'middle' | 'end';

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Place {
  readonly width: number;
  readonly height: number;
}

/** `#rrggbb`. */
export type Colour = string;

export interface Stroke {
  readonly colour: Colour;
  readonly width: number;
  /** Lengths of dashes and gaps. */
  readonly dash?: readonly number[];
}

export interface Fill {
  readonly colour: Colour;
  /** 0 to 1; opaque by itself. */
  readonly opacity?: number;
}

export type Path = readonly PathStep[];

/** Straight lines and cubic curves, which every format has. */
export type PathStep =
  | { readonly to: 'move' | 'line'; readonly x: number; readonly y: number }
  | {
      readonly to: 'curve';
      readonly x1: number;
      readonly y1: number;
      readonly x2: number;
      readonly y2: number;
      readonly x: number;
      readonly y: number;
    }
  | { readonly to: 'close' };

/** Records what d3-shape draws. */
export class PathRecorder {
  readonly steps: PathStep[] = [];

  moveTo(x: number, y: number): void {
    this.steps.push({ to: 'move', x, y });
  }

  lineTo(x: number, y: number): void {
    this.steps.push({ to: 'line', x, y });
  }

  bezierCurveTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): void {
    this.steps.push({ to: 'curve', x1, y1, x2, y2, x, y });
  }

  closePath(): void {
    this.steps.push({ to: 'close' });
  }
}

/** Straight from place to place. */
export function polyline(...places: readonly (readonly [x: number, y: number])[]): Path {
  return places.map(([x, y], i) => ({ to: i === 0 ? 'move' : 'line', x, y }) as const);
}

export const POINTS_PER_MILLIMETRE = 72 / 25.4;
