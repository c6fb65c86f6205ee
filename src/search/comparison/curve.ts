/** What a run had cost when something was known. */
export interface Cost {
  /** Work of a search, in units of the whole fitness text; null of a recovery, which searches for nothing. */
  readonly evaluations: number | null;
  /** Seconds that somebody worked on it: pauses do not count. */
  readonly seconds: number;
  /** Generations or steps that were through. */
  readonly steps: number;
}

/** A new best of a run. */
export interface CurvePoint extends Cost {
  readonly fitness: number;
}

/** What the lines of runs lie along. */
export type CurveAxis = keyof Cost;

/** The best so far of a run, each point a new best. */
export interface RunCurve {
  readonly points: readonly CurvePoint[];
  /** How far the run is: the last best holds up to here. */
  readonly end: Cost;
}

/** Points of a line that are told apart in any picture. */
const MOST_POINTS = 400;

/** As many points as a picture can show: the first, the last and the largest steps down stay. */
export function thinned(points: readonly CurvePoint[], most = MOST_POINTS): readonly CurvePoint[] {
  if (points.length <= most) return points;
  const gains = points.map(({ fitness }, i) => (i === 0 ? Infinity : points[i - 1]!.fitness - fitness));
  gains[gains.length - 1] = Infinity;
  const kept = new Set(
    gains
      .map((_, i) => i)
      .sort((a, b) => gains[b]! - gains[a]! || a - b)
      .slice(0, most),
  );
  return points.filter((_, i) => kept.has(i));
}

/** The best that was known at a place; undefined where nothing was known there, or the run has not come so far. */
export function bestAt({ points, end }: RunCurve, axis: CurveAxis, at: number): number | undefined {
  if (at > (end[axis] ?? -Infinity)) return undefined;
  return points.findLast((point) => (point[axis] ?? Infinity) <= at)?.fitness;
}
