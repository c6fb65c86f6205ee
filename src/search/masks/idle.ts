import type { IdleSearchSettings } from '../idle.ts';
import type { MaskSearchSettings } from './settings.ts';

/** What changes nothing in a search for masks. */
export function idleInMaskSearch({ centre, initial, objective }: MaskSearchSettings): readonly IdleSearchSettings[] {
  return [
    ...(centre === 'step' ? [{ names: ['window'], why: '`centre: step` looks at no steps before' }] : []),
    ...(objective === 'tasks' ? [{ names: ['tokens'], why: 'with `objective: tasks` documents are whole' }] : []),
    ...(initial !== 'metric' ? [{ names: ['map'], why: `\`initial: ${initial}\` begins without scores` }] : []),
  ];
}
