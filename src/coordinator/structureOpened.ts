import { EspalierError } from '../base/errors.ts';
import type { SearchOpening } from '../search/metrics/events.ts';
import type { StructureOpenedEvent, StructureOpening } from '../search/rates/events.ts';

/** The opening of a search for rates or masks, as its journal says it. Workers are asked for one by the kind of their plan. */
export function structureOpened(opening: SearchOpening | StructureOpening): StructureOpenedEvent {
  if ('components' in opening) return { ...opening, kind: 'structure-opened' };
  throw new EspalierError({
    code: 'engine/invariant',
    operation: 'opening a search for rates or masks',
    expected: 'what the blocks are made of',
    actual: 'the opening of a search for metrics',
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}
