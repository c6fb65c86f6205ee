import { polyline } from './scene.ts';
import type { Path } from './scene.ts';

export type MarkerShape = 'circle' | 'triangle' | 'downwards' | 'square' | 'diamond' | 'cross' | 'plus';

/** Around 0, 0; about as large as a circle of that radius looks. */
export function markerPath(shape: MarkerShape, radius: number): Path {
  switch (shape) {
    case 'circle':
      return circle(radius);
    case 'triangle':
      return closed(...corners(3, -90, 1.3 * radius));
    case 'downwards':
      return closed(...corners(3, 90, 1.3 * radius));
    case 'square':
      return closed(...corners(4, 45, 1.25 * radius));
    case 'diamond':
      return closed(...corners(4, 0, 1.3 * radius));
    case 'cross':
      return strokes(radius * 0.9, radius * 0.9);
    case 'plus':
      return [...polyline([-1.2 * radius, 0], [1.2 * radius, 0]), ...polyline([0, -1.2 * radius], [0, 1.2 * radius])];
  }
}

function strokes(x: number, y: number): Path {
  return [...polyline([-x, -y], [x, y]), ...polyline([-x, y], [x, -y])];
}

function corners(count: number, turn: number, radius: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = ((turn + (i * 360) / count) * Math.PI) / 180;
    return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
  });
}

function closed(...places: readonly (readonly [number, number])[]): Path {
  return [...polyline(...places), { to: 'close' }];
}

/** Of four curves; how far their handles reach makes them round to a few ten-thousandths. */
function circle(r: number): Path {
  const k = 0.5523 * r;
  return [
    { to: 'move', x: r, y: 0 },
    { to: 'curve', x1: r, y1: k, x2: k, y2: r, x: 0, y: r },
    { to: 'curve', x1: -k, y1: r, x2: -r, y2: k, x: -r, y: 0 },
    { to: 'curve', x1: -r, y1: -k, x2: -k, y2: -r, x: 0, y: -r },
    { to: 'curve', x1: k, y1: -r, x2: r, y2: -k, x: r, y: 0 },
    { to: 'close' },
  ];
}
