/** Losses over steps, which stay few: each point stands for as many steps, the last one for fewer at times. */
export interface ThinnedLosses<Point> {
  /** Steps that are in it. */
  steps: number;
  losses: Point[];
  stepsOfPoint: number;
}

/** The losses of a run are thinned to half as many points when there are more than these. */
export const MAX_POINTS = 4096;

/**
 * Takes the next step in; points end where a multiple of their steps does.
 *
 * @param joined of two points, the first one earlier
 */
export function addStep<Point>(
  curve: ThinnedLosses<Point>,
  point: Point,
  joined: (first: Point, second: Point) => Point,
): void {
  if (curve.steps % curve.stepsOfPoint === 0) curve.losses.push(point);
  else curve.losses.push(joined(curve.losses.pop()!, point));
  curve.steps++;
  if (curve.losses.length <= MAX_POINTS) return;
  curve.losses = Array.from({ length: Math.ceil(curve.losses.length / 2) }, (_, i) => {
    const [first, second] = [curve.losses[2 * i]!, curve.losses[2 * i + 1]];
    return second ? joined(first, second) : first;
  });
  curve.stepsOfPoint *= 2;
}
