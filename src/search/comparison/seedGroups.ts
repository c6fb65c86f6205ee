import type { ComparedRun } from './comparedRun.ts';
import { bestOf } from './comparedRun.ts';
import { bestAt } from './curve.ts';
import type { CurveAxis, CurvePoint } from './curve.ts';

/** Runs that differ in nothing but the seed: what one does is luck, what they do together is the method. */
export interface SeedGroup {
  readonly runs: readonly ComparedRun[];
}

/** What some numbers come to. `spread`: the standard deviation of a sample, over one less than their number; null of one alone. */
export interface Spread {
  readonly mean: number;
  readonly spread: number | null;
  readonly count: number;
}

/** Every run is in one group, in the order in which they came. */
export function seedGroups(runs: readonly ComparedRun[]): readonly SeedGroup[] {
  const groups = new Map<string, ComparedRun[]>();
  for (const run of runs) {
    const facts = Object.entries(run.facts).flatMap(([name, { text }]) => (name === 'seed' ? [] : [[name, text]]));
    const key = JSON.stringify([run.kind, run.fitness.of, facts]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(run);
  }
  return [...groups.values()].map((group) => ({ runs: group }));
}

export function spreadOf(values: readonly number[]): Spread | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: count === 1 ? null : Math.sqrt(squares / (count - 1)), count };
}

/** Of the best of each run that has one. */
export function spreadOfBest({ runs }: SeedGroup): Spread | undefined {
  return spreadOf(runs.flatMap((run) => bestOf(run) ?? []));
}

export interface SpreadPoint extends Spread {
  readonly at: number;
}

/** The mean of the best so far, wherever one of the runs gets better, as far as all of them have come. @param valueOf what stands for a fitness */
export function meanCurve(
  { runs }: SeedGroup,
  axis: CurveAxis,
  valueOf: (run: ComparedRun, fitness: number) => number | undefined,
): readonly SpreadPoint[] {
  const end = Math.min(...runs.map(({ curve }) => curve.end[axis] ?? 0));
  const places = runs.flatMap(({ curve }) => curve.points.flatMap((point: CurvePoint) => point[axis] ?? []));
  const all = [...new Set([...places.filter((at) => at <= end), end])].sort((a, b) => a - b);
  return all.flatMap((at) => {
    const values = runs.flatMap((run) => {
      const fitness = bestAt(run.curve, axis, at);
      return fitness === undefined ? [] : (valueOf(run, fitness) ?? []);
    });
    return values.length === runs.length ? [{ at, ...spreadOf(values)! }] : [];
  });
}
