import type { FinalistEvent } from './events.ts';
import { measuredOf } from './outcome.ts';
import type { AnyFitness } from './objective.ts';

/** What a search has measured of what came to its end: candidates by their ids, baselines by their names. */
export interface MeasuredSearch {
  readonly byId: ReadonlyMap<number, Parameters<typeof measuredOf>[0]>;
  readonly baselines: readonly (AnyFitness & { readonly name: string })[];
}

/** What a search has chosen a finalist by, or measured of a baseline; undefined where it has measured nothing. */
export function measuredFinalist(
  { id, name }: Pick<FinalistEvent, 'id' | 'name'>,
  { byId, baselines }: MeasuredSearch,
): AnyFitness | undefined {
  if (id === undefined) return baselines.find((baseline) => baseline.name === name);
  const candidate = byId.get(id);
  return candidate && measuredOf(candidate);
}
